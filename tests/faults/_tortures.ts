import { DatabaseSync } from "node:sqlite";
import type { Sql } from "../../activities/database.ts";
import type { Prng } from "../../domain/generator/prng.ts";
import type { Running } from "../../scripts/cli/with_running.ts";
import type { Config } from "../../scripts/config.ts";
import type { TcpProxy } from "../activities/_tcp_proxy.ts";
import type { FaultPipeline, IngestHandle } from "./_fault_pipeline.ts";
import type { OwnPostgres, OwnServer, OwnTemporal } from "./_own_services.ts";
import { PEOPLE } from "./_people.ts";
import type { PlantedFiles } from "./_planted_files.ts";
import { resetToStart, restartTerminated } from "./_steer_workflow.ts";
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
  /** Workflows so far. */
  started: IngestHandle[];
  prng: Prng;
  /** What must come of the files; people change it. */
  planted: PlantedFiles;
  /** The pipeline as the commands see it. */
  running: Running;
  /** Pool of who may correct and waive. */
  operator: Sql;
  config: Config;
}

/** Each breaks something and returns when it is mended. */
export const TORTURES: Record<string, (parts: TortureParts) => Promise<void>> = {
  ...PEOPLE,
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
  "workflow terminated and started anew": async ({ pipeline, started, prng }) => {
    const handle = started[prng.below(started.length)];
    if (handle) await restartTerminated(pipeline, handle);
  },
  "workflow reset to its start": async ({ pipeline, started, prng }) => {
    const handle = started[prng.below(started.length)];
    if (handle) await resetToStart(pipeline, handle);
  },
};

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
