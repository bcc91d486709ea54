/**
 * A worker in a process of its own, to be stopped and killed by tests. Its one argument is {@linkcode WorkerSetup} as JSON.
 * It is put together by the same parts as the product's worker.
 *
 * @module
 */
import { NativeConnection, Runtime } from "@temporalio/worker";
import type { ActivityDeps } from "../../activities/create_activities.ts";
import { openDatabase } from "../../activities/database.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { createWorker } from "../../scripts/services/create_worker.ts";
import { readMigrations } from "../../scripts/services/migrate.ts";

/** What a test says about a worker. */
export interface WorkerSetup {
  databaseUrl: string;
  temporalAddress: string;
  bundlePath: string;
  inboxId: string;
  archive: string;
  failed: string;
  chunkBytes: number;
  /** Directory in which the worker says `reached-<chunk>` before a chunk's transaction and waits for `go`. */
  gate?: string;
}

/** Parts of a worker's dependencies that a setup decides. */
export async function workerDeps(setup: WorkerSetup): Promise<ActivityDeps> {
  const { archive, failed, chunkBytes, gate } = setup;
  return {
    sql: openDatabase(setup.databaseUrl, "ingest", { limits: SHORT_LIMITS }),
    contracts: new Map([[SHOP_EVENTS.feed, SHOP_EVENTS]]),
    directories: { archive, failed },
    archivePolicy: "move",
    chunkBytes,
    errorBudget: {},
    worker: `worker ${Deno.pid}`,
    schemaVersion: (await readMigrations()).length,
    ...(gate !== undefined && { hooks: { beforeChunkTransaction: waitAtGate(gate) } }),
  };
}

const SHORT_LIMITS = {
  idleInTransactionTimeoutMs: 1_500,
  transactionTimeoutMs: 20_000,
  lockTimeoutMs: 5_000,
  statementDeadlineMs: 10_000,
};

function waitAtGate(gate: string) {
  return async (_fileId: number, chunkNo: number): Promise<void> => {
    await Deno.writeTextFile(`${gate}/reached-${chunkNo}`, "");
    while (await Deno.stat(`${gate}/go`).then(() => false, () => true)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
}

if (import.meta.main) {
  const setup: WorkerSetup = JSON.parse(Deno.args[0] ?? "");
  Runtime.install({ shutdownSignals: ["SIGTERM"] });
  const connection = await NativeConnection.connect({ address: setup.temporalAddress });
  const deps = await workerDeps(setup);
  const worker = await createWorker({
    connection,
    namespace: "default",
    inboxId: setup.inboxId,
    bundle: { codePath: setup.bundlePath },
    deps,
    poolSize: 4,
    shutdownGraceMs: 1_000,
  });
  console.log("ready");
  await worker.run();
  await deps.sql.end({ timeout: 1 });
  await connection.close();
}
