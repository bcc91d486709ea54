import { DatabaseSync } from "node:sqlite";
import type { Prng } from "../../domain/generator/prng.ts";
import type { TcpProxy } from "../activities/_tcp_proxy.ts";
import type { FaultPipeline } from "./_fault_pipeline.ts";
import type { OwnPostgres, OwnServer, OwnTemporal } from "./_own_services.ts";
import type { People } from "./_people.ts";
import { resetToStart } from "./_steer_workflow.ts";
import type { WorkerProcess } from "./_start_worker_process.ts";

const MAX_STOPPED_MS = 3_000;
/** Beyond the deadline of a statement, so that some run into it. */
const SWALLOWED_MS = 2_500;
const LOCKED_MS = 1_500;

/** What is broken and mended again. */
export interface TortureParts {
  pipeline: FaultPipeline;
  postgres: OwnPostgres;
  temporal: OwnTemporal;
  /** Between the workers and PostgreSQL. */
  proxy: TcpProxy;
  workers: WorkerProcess[];
  startWatcher: () => Promise<WorkerProcess>;
  watcher: WorkerProcess;
  people: People;
  prng: Prng;
}

/** Each breaks something and returns when it is mended. */
export const TORTURES: Record<string, (parts: TortureParts) => Promise<void>> = {
  "worker killed": async ({ pipeline, workers, prng }) => {
    const [worker] = workers.splice(prng.below(workers.length), 1);
    worker?.kill("SIGKILL");
    await worker?.exited;
    workers.push(await pipeline.startWorker());
  },
  "worker stopped for a while": async ({ workers, prng }) => {
    const worker = workers[prng.below(workers.length)];
    worker?.kill("SIGSTOP");
    await pause(prng.below(MAX_STOPPED_MS));
    worker?.kill("SIGCONT");
  },
  "worker drained": async ({ pipeline, workers, prng }) => {
    const [worker] = workers.splice(prng.below(workers.length), 1);
    worker?.kill("SIGTERM");
    workers.push(await pipeline.startWorker());
    await worker?.exited;
  },
  "backends terminated": ({ pipeline }) => terminateBackends(pipeline),
  "storm of terminated backends": async ({ pipeline, prng }) => {
    for (let left = 20; left > 0; left--) {
      await terminateBackends(pipeline);
      await pause(prng.below(80));
    }
  },
  "connections cut": ({ proxy }) => Promise.resolve(proxy.cut()),
  "connections refused": async ({ proxy, prng }) => {
    await proxy.refuse();
    await pause(prng.below(1_500));
    await proxy.listen();
  },
  "connections swallow all": async ({ proxy }) => {
    proxy.swallow();
    await pause(SWALLOWED_MS);
    proxy.pass();
    // Those that lost bytes are out of step and could only misunderstand each other.
    proxy.cut();
  },
  "PostgreSQL read-only": async ({ pipeline, prng }) => {
    const [{ name } = {}] = await pipeline.sql<{ name: string }[]>`
      select current_database() as name`;
    await pipeline.sql.unsafe(`alter database ${name} set default_transaction_read_only = on`);
    await terminateBackends(pipeline);
    await pause(prng.below(1_000));
    await pipeline.sql.unsafe(`alter database ${name} reset default_transaction_read_only`);
    await terminateBackends(pipeline);
  },
  "PostgreSQL restarted": ({ postgres }) => restart(postgres, "SIGINT"),
  "PostgreSQL killed": ({ postgres }) => restart(postgres, "SIGQUIT"),
  "Temporal killed": ({ temporal }) => restart(temporal, "SIGKILL"),
  "Temporal's file locked": async ({ temporal }) => {
    using file = new DatabaseSync(temporal.databaseFile);
    file.exec("pragma busy_timeout = 5000; begin immediate");
    await pause(LOCKED_MS);
    file.exec("rollback");
  },
  "watcher killed": async (parts) => {
    parts.watcher.kill("SIGKILL");
    await parts.watcher.exited;
    parts.watcher = await parts.startWatcher();
  },
  "watcher stopped for a while": async ({ watcher, prng }) => {
    watcher.kill("SIGSTOP");
    await pause(prng.below(MAX_STOPPED_MS));
    watcher.kill("SIGCONT");
  },
  // The watcher starts it anew: as it was not complete, or from the ledger.
  "workflow terminated": async ({ pipeline, prng }) => {
    const workflowId = await drawWorkflow(pipeline, prng);
    if (workflowId === undefined) return;
    // It may have ended meanwhile.
    await pipeline.client.workflow.getHandle(workflowId).terminate("by a test").catch(() => {});
  },
  "workflow reset to its start": async ({ pipeline, prng }) => {
    const workflowId = await drawWorkflow(pipeline, prng);
    if (workflowId !== undefined) await resetToStart(pipeline, { workflowId });
  },
  "files unloaded": ({ people, prng }) => people.unload(prng),
  "files cancelled": ({ people, prng }) => people.cancel(prng),
  "files paused": ({ people, prng }) => people.pause(prng),
  "rejects replayed": ({ people, prng }) => people.replay(prng),
  "rejects corrected and replayed": ({ people, prng }) => people.correct(prng),
  "rejects waived": ({ people, prng }) => people.waive(prng),
};

/** Of a file that is being loaded, if there is one. */
async function drawWorkflow({ sql }: FaultPipeline, prng: Prng): Promise<string | undefined> {
  const rows = await sql<{ workflow_id: string }[]>`
    select workflow_id from ingest.files where settled_at is null order by file_id`;
  return rows[prng.below(Math.max(1, rows.length))]?.workflow_id;
}

async function terminateBackends({ sql }: FaultPipeline): Promise<void> {
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
      and application_name = 'clickledger ingest'`;
}

async function restart(server: OwnServer, signal: Deno.Signal): Promise<void> {
  await server.end(signal);
  await server.start();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
