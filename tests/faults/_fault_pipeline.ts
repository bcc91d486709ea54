import "./_quiet_runtime.ts";
import { Client, type WorkflowHandle } from "@temporalio/client";
import { NativeConnection } from "@temporalio/worker";
import type { ActivityDeps } from "../../activities/create_activities.ts";
import { readIdentity } from "../../activities/file_identity.ts";
import { type IngestSettings, SHORT_WAY_MAX_BYTES, taskQueue } from "../../domain/ingest_api.ts";
import { ingestWorkflowId } from "../../domain/workflow_ids.ts";
import type { ingestFile } from "../../workflows/ingest_file.ts";
import { tempDir, testBundle, type TestDatabase, testDatabase, testTemporal } from "../harness.ts";
import { startWorkerProcess, type WorkerProcess } from "./_start_worker_process.ts";
import type { WatcherSetup } from "./_watcher_process.ts";
import { runWorker, type WorkerSetup } from "./_worker_process.ts";

/** Handle of the workflow of one file. */
export type IngestHandle = WorkflowHandle<typeof ingestFile>;

/** How the ingestion of a file is started. */
export interface IngestOptions {
  /** The short way or the long one, whatever the size. */
  shortWay?: boolean;
  settings?: Partial<IngestSettings>;
  /** A task that a worker does not answer within this time goes to another one. */
  workflowTaskTimeoutMs?: number;
}

/** A pipeline whose parts a test can stop and kill. */
export interface FaultPipeline extends AsyncDisposable {
  sql: TestDatabase["sql"];
  /** Of the superuser. */
  databaseUrl: string;
  client: Client;
  inboxId: string;
  inbox: string;
  archive: string;
  failed: string;
  /** Folder for signs between test and worker. */
  gate: string;
  setup: WorkerSetup;
  /** Starts a worker that can be killed; it ends with the pipeline at the latest. */
  startWorker(change?: Partial<WorkerSetup>): Promise<WorkerProcess>;
  /** Starts a worker in this process, with hooks; it ends with the pipeline at the latest. */
  runWorker(hooks?: ActivityDeps["hooks"], change?: Partial<WorkerSetup>): Promise<void>;
  /** Starts a watcher of the inbox that can be killed; it ends with the pipeline at the latest. */
  startWatcher(change: Pick<WatcherSetup, "settleMs" | "relistMs">): Promise<WorkerProcess>;
  /** What all worker and watcher processes wrote to stdout and stderr. */
  workerLogs(): string;
  /** Starts the ingestion of a file that lies in the inbox. */
  ingest(name: string, options?: IngestOptions): Promise<IngestHandle>;
  /** Violations of all invariants. */
  verify(): Promise<Record<string, unknown>[]>;
}

/** What a pipeline is made of; what is not named is that of the test run. */
export interface PipelineParts {
  chunkBytes?: number;
  database?: TestDatabase;
  temporalAddress?: string;
}

/** Short, so that what waits for a limit to pass waits little. */
const LIMITS = {
  // Below what a worker is given to stop: a server that ends may take a connection that nobody answers any more.
  connectDeadlineMs: 2_000,
  idleInTransactionTimeoutMs: 1_500,
  transactionTimeoutMs: 20_000,
  lockTimeoutMs: 5_000,
  statementDeadlineMs: 10_000,
};

/** Handed to each workflow. */
export const SETTINGS: IngestSettings = {
  heartbeatTimeoutMs: 1_500,
  chunksPerSpan: 4,
  spansInFlight: 3,
  maxRetryIntervalMs: 1_000,
  searchAttributes: true,
};

/** Makes a database, an inbox and a client; workers are started by the test. */
export async function faultPipeline(
  { chunkBytes = 64 * 1024, database, temporalAddress }: PipelineParts = {},
): Promise<FaultPipeline> {
  const disposables = new AsyncDisposableStack();
  const { sql, url } = database ?? disposables.use(await testDatabase());
  const folder = disposables.use(await tempDir());
  const address = temporalAddress ?? await testTemporal();
  // Not the client's own: when a server ends, its HTTP/2 aborts the whole process.
  const connection = await NativeConnection.connect({ address });
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
    databaseUrl: url,
    temporalAddress: address,
    bundlePath: await testBundle(),
    inboxId,
    archive,
    failed,
    chunkBytes,
    limits: LIMITS,
  };
  const logs: string[] = [];

  async function ingest(name: string, options: IngestOptions = {}): Promise<IngestHandle> {
    const path = `${inbox}/${name}`;
    const seen = await readIdentity(path);
    if (seen === null) throw new Error(`Cannot ingest ${path}: it is not there`);
    return await client.workflow.start<typeof ingestFile>("ingestFile", {
      workflowId: ingestWorkflowId(inboxId, seen.identity),
      taskQueue: taskQueue(inboxId),
      workflowTaskTimeout: options.workflowTaskTimeoutMs ?? 2_000,
      args: [{
        feed: "shop_events",
        inboxId,
        identity: seen.identity,
        discoveredAt: new Date().toISOString(),
        closedAt: null,
        shortWay: options.shortWay ?? seen.identity.sizeBytes <= SHORT_WAY_MAX_BYTES,
        settings: { ...SETTINGS, ...options.settings },
      }],
    });
  }

  async function startProcess(
    what: WorkerSetup | WatcherSetup,
    script?: string,
  ): Promise<WorkerProcess> {
    const started = await startWorkerProcess(what, logs, script);
    disposables.defer(async () => {
      started.kill("SIGKILL");
      await started.exited;
    });
    return started;
  }

  return {
    ...{ sql, databaseUrl: url, client, inboxId, inbox, archive, failed, gate, setup, ingest },
    startWorker: (change = {}) => startProcess({ ...setup, ...change }),
    async startWatcher(change) {
      const { databaseUrl, temporalAddress, limits } = setup;
      return await startProcess({
        ...{ databaseUrl, temporalAddress, limits, inbox, inboxId, archive, failed },
        settings: SETTINGS,
        ...change,
      }, "tests/faults/_watcher_process.ts");
    },
    async runWorker(hooks, change = {}) {
      const worker = await runWorker({ ...setup, ...change }, hooks);
      disposables.defer(() => worker.stop());
    },
    workerLogs: () => logs.join(""),
    verify: async () => [...await sql`select * from ingest.verify()`],
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}
