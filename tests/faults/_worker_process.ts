/**
 * A worker in a process of its own, to be stopped and killed by tests. Its one argument is
 * {@linkcode WorkerSetup} as JSON.
 *
 * @module
 */
import { NativeConnection } from "@temporalio/worker";
import type { ActivityDeps } from "../../activities/create_activities.ts";
import { type DatabaseLimits, openDatabase } from "../../activities/database.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { createLogger } from "../../scripts/log.ts";
import { createWorker } from "../../scripts/services/create_worker.ts";
import { installRuntime } from "../../scripts/services/install_runtime.ts";
import { readMigrations } from "../../scripts/services/migrate.ts";
import { endWithParent } from "./_end_with_parent.ts";

/** What a test says about a worker. */
export interface WorkerSetup {
  databaseUrl: string;
  temporalAddress: string;
  bundlePath: string;
  inboxId: string;
  archive: string;
  failed: string;
  chunkBytes: number;
  limits: DatabaseLimits;
  /** Newest migration that it knows; that of this version by default. */
  schemaVersion?: number;
  /** Directory in which the worker says `reached-<chunk>` at a step and waits for `go`. */
  gate?: string;
  /** That step; a chunk's transaction by default. */
  gateAt?: Step;
  /** Heap of the worker, which it exhausts before its first transaction of a chunk. */
  exhaustedHeapMb?: number;
}

/** Steps of a file at which a worker can be held. */
export const STEPS = [
  "beforeChunk",
  "beforeChunkTransaction",
  "afterComplete",
  "beforeMove",
] as const satisfies (keyof Hooks)[];

type Step = (typeof STEPS)[number];
type Hooks = NonNullable<ActivityDeps["hooks"]>;

/** A worker that runs. */
export interface RunningWorker {
  /** Lets running activities end, then closes all connections. */
  stop(): Promise<void>;
  /** Resolves when it has stopped. */
  ended: Promise<void>;
}

/**
 * Starts a worker in this process, put together from the same parts as the product's.
 *
 * @param hooks Points at which the test gets the word.
 */
export async function runWorker(
  setup: WorkerSetup,
  hooks: Hooks = {},
): Promise<RunningWorker> {
  const connection = await NativeConnection.connect({ address: setup.temporalAddress });
  const sql = openDatabase(setup.databaseUrl, "ingest", { limits: setup.limits });
  const worker = await createWorker({
    connection,
    namespace: "default",
    inboxId: setup.inboxId,
    bundle: { codePath: setup.bundlePath },
    deps: {
      sql,
      contracts: new Map([[SHOP_EVENTS.feed, SHOP_EVENTS]]),
      directories: { archive: setup.archive, failed: setup.failed },
      archivePolicy: "move",
      expansion: { spool: `${setup.archive}/../spool`, maxBytes: 10_000_000 },
      chunkBytes: setup.chunkBytes,
      errorBudget: {},
      worker: `worker ${Deno.pid}`,
      schemaVersion: setup.schemaVersion ?? (await readMigrations()).length,
      hooks,
    },
    poolSize: 4,
    shutdownGraceMs: 1_000,
  });
  const ended = worker.run().finally(async () => {
    await sql.end({ timeout: 1 });
    await connection.close();
  });
  return {
    ended,
    async stop() {
      worker.shutdown();
      await ended;
    },
  };
}

function waitAtGate(gate: string) {
  return async (_fileId: number, chunkNo?: number): Promise<void> => {
    await Deno.writeTextFile(`${gate}/reached-${chunkNo ?? "end"}`, "");
    while (await Deno.stat(`${gate}/go`).then(() => false, () => true)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
}

function exhaustMemory(): Promise<void> {
  const kept: string[][] = [];
  while (true) kept.push(Array.from({ length: 100_000 }, (_, index) => `${kept.length} ${index}`));
}

function chooseHooks({ gate, gateAt, exhaustedHeapMb }: WorkerSetup): Hooks {
  if (exhaustedHeapMb !== undefined) return { beforeChunkTransaction: exhaustMemory };
  return gate === undefined ? {} : { [gateAt ?? "beforeChunkTransaction"]: waitAtGate(gate) };
}

if (import.meta.main) {
  void endWithParent();
  const setup: WorkerSetup = JSON.parse(Deno.args[0] ?? "");
  installRuntime(createLogger("debug"));
  const worker = await runWorker(setup, chooseHooks(setup));
  Deno.addSignalListener("SIGTERM", () => void worker.stop().then(() => Deno.exit(0)));
  console.log("ready");
  await worker.ended;
}
