import { Client, Connection, type WorkflowHandle } from "@temporalio/client";
import { readIdentity } from "../../activities/file_identity.ts";
import { ingestFile } from "../../workflows/ingest_file.ts";
import { SHORT_WAY_MAX_BYTES, taskQueue } from "../../domain/ingest_api.ts";
import { ingestWorkflowId } from "../../domain/workflow_ids.ts";
import {
  projectPath,
  tempDir,
  testBundle,
  testDatabase,
  testTemporal,
  waitFor,
} from "../harness.ts";
import type { WorkerSetup } from "./_worker_process.ts";

/** A worker in a process of its own. */
export interface WorkerProcess {
  pid: number;
  kill(signal: Deno.Signal): void;
  exited: Promise<Deno.CommandStatus>;
}

/** A pipeline whose parts a test can stop and kill. */
export interface FaultPipeline extends AsyncDisposable {
  sql: Awaited<ReturnType<typeof testDatabase>>["sql"];
  databaseUrl: string;
  client: Client;
  inbox: string;
  inboxId: string;
  setup: WorkerSetup;
  /** Path of a folder for signs between test and worker. */
  gate: string;
  startWorker(change?: Partial<WorkerSetup>): Promise<WorkerProcess>;
  /** Starts the ingestion of a file that lies in the inbox; the long way if asked for, whatever its size. */
  ingest(
    name: string,
    options?: { shortWay?: boolean },
  ): Promise<WorkflowHandle<typeof ingestFile>>;
  /** Violations of all invariants. */
  verify(): Promise<Record<string, unknown>[]>;
}

/** Makes a database, an inbox and a client; workers are started by the test. */
export async function faultPipeline(
  { chunkBytes = 64 * 1024, databaseUrl }: { chunkBytes?: number; databaseUrl?: string } = {},
): Promise<FaultPipeline> {
  const disposables = new AsyncDisposableStack();
  const database = disposables.use(await testDatabase());
  const folder = disposables.use(await tempDir());
  const temporalAddress = await testTemporal();
  const connection = await Connection.connect({ address: temporalAddress });
  disposables.defer(() => connection.close());
  const client = new Client({ connection });
  const inboxId = crypto.randomUUID();
  const [inbox, archive, failed, gate] = await Promise.all(
    ["inbox", "archive", "failed", "gate"].map(async (name) => {
      await Deno.mkdir(`${folder.path}/${name}`);
      return `${folder.path}/${name}`;
    }),
  ) as [string, string, string, string];
  const setup: WorkerSetup = {
    databaseUrl: databaseUrl ?? database.url,
    temporalAddress,
    bundlePath: await testBundle(),
    inboxId,
    archive,
    failed,
    chunkBytes,
  };

  async function startWorker(change: Partial<WorkerSetup> = {}): Promise<WorkerProcess> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        projectPath("tests/faults/_worker_process.ts"),
        JSON.stringify({ ...setup, ...change }),
      ],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const exited = child.status;
    disposables.defer(async () => {
      tryKill(child.pid, "SIGKILL");
      await exited;
    });
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    if (!new TextDecoder().decode(value).includes("ready")) throw new Error("Worker did not start");
    reader.cancel();
    return { pid: child.pid, exited, kill: (signal) => tryKill(child.pid, signal) };
  }

  async function ingest(name: string, { shortWay }: { shortWay?: boolean } = {}) {
    const path = `${inbox}/${name}`;
    const seen = await readIdentity(path);
    if (seen === null) throw new Error(`Cannot ingest ${path}: it is not there`);
    return await client.workflow.start(ingestFile, {
      workflowId: ingestWorkflowId(inboxId, seen.identity),
      taskQueue: taskQueue(inboxId),
      workflowTaskTimeout: "2 seconds",
      args: [{
        feed: "shop_events",
        inboxId,
        identity: seen.identity,
        discoveredAt: new Date().toISOString(),
        closedAt: null,
        shortWay: shortWay ?? seen.identity.sizeBytes <= SHORT_WAY_MAX_BYTES,
        settings: {
          heartbeatTimeoutMs: 2_000,
          chunksPerSpan: 4,
          maxRetryIntervalMs: 1_000,
          searchAttributes: true,
        },
      }],
    });
  }

  return {
    sql: database.sql,
    databaseUrl: database.url,
    client,
    inbox,
    inboxId,
    setup,
    gate,
    startWorker,
    ingest,
    verify: async () => [...await database.sql`select * from ingest.verify()`],
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}

/** Waits for a sign that a worker gave in the gate's folder. */
export function waitForSign(gate: string, name: RegExp): Promise<string> {
  return waitFor(async () => {
    for await (const entry of Deno.readDir(gate)) if (name.test(entry.name)) return entry.name;
  }, { what: `sign ${name}` });
}

function tryKill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
