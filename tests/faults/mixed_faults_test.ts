import { Prng } from "../../domain/generator/prng.ts";
import { waitFor } from "../harness.ts";
import { type FaultPipeline, faultPipeline } from "./_fault_pipeline.ts";
import { ownPostgres, type OwnServer, ownTemporal } from "./_own_services.ts";
import { assertPlanted, plantFiles } from "./_planted_files.ts";
import { readNumber, readSeed } from "./_read_number.ts";
import type { WorkerProcess } from "./_start_worker_process.ts";

const FAULTS = readNumber("CLICKLEDGER_TEST_FAULTS", 7);
const FILES = readNumber("CLICKLEDGER_TEST_FILES", 20);
const ROWS = readNumber("CLICKLEDGER_TEST_ROWS", 600);
const SEED = readSeed();
const MAX_STOPPED_MS = 4_000;
const HEALED_MS = 120_000;

/** What is broken and mended again. */
interface Parts {
  pipeline: FaultPipeline;
  postgres: OwnServer;
  temporal: OwnServer;
  workers: WorkerProcess[];
  prng: Prng;
}

/** Each breaks something and returns when it is mended. */
const KINDS: Record<string, (parts: Parts) => Promise<void>> = {
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
  "backends terminated": async ({ pipeline }) => {
    await pipeline.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()
        and application_name = 'clickledger ingest'`;
  },
  "PostgreSQL restarted": ({ postgres }) => restart(postgres, "SIGINT"),
  "PostgreSQL killed": ({ postgres }) => restart(postgres, "SIGQUIT"),
  "Temporal killed": ({ temporal }) => restart(temporal, "SIGKILL"),
};

Deno.test(`${FAULTS} faults of all kinds mixed while ${FILES} files load → every event once`, async () => {
  console.log(`seed ${SEED}: CLICKLEDGER_TEST_SEED=${SEED} repeats the choice of the faults`);
  await using postgres = await ownPostgres();
  await using temporal = await ownTemporal();
  await using pipeline = await faultPipeline({
    chunkBytes: 16 * 1024,
    database: postgres.database,
    temporalAddress: temporal.address,
  });
  const planted = await plantFiles(pipeline.inbox, { files: FILES, rows: ROWS, seed: SEED });
  const workers = [await pipeline.startWorker(), await pipeline.startWorker()];
  const parts: Parts = { pipeline, postgres, temporal, workers, prng: new Prng(SEED, 0) };

  // Files flow while things break: before each fault some are started, after the last one the rest.
  const waiting = [...planted.names];
  const startSome = async (count: number) => {
    for (const name of waiting.splice(0, count)) {
      await pipeline.ingest(name, { shortWay: parts.prng.below(2) === 0 });
    }
  };
  for (const [fault, kind] of drawKinds(parts.prng).entries()) {
    await startSome(Math.ceil(waiting.length / (FAULTS - fault + 1)));
    await pause(parts.prng.below(500));
    console.log(`fault ${fault + 1}: ${kind}`);
    await KINDS[kind]?.(parts);
  }
  await startSome(waiting.length);

  await waitFor(async () => {
    const [row] = await pipeline.sql<{ settled: number }[]>`
      select count(settled_at)::integer as settled from ingest.files`;
    return row?.settled === FILES;
  }, { what: "all files to be settled", timeoutMs: HEALED_MS });
  await assertPlanted(pipeline, planted);
});

/** All kinds in a random order, then in another one, and so on. */
function drawKinds(prng: Prng): string[] {
  const drawn: string[] = [];
  for (let left: string[] = []; drawn.length < FAULTS;) {
    if (left.length === 0) left = Object.keys(KINDS);
    drawn.push(...left.splice(prng.below(left.length), 1));
  }
  return drawn;
}

async function restart(server: OwnServer, signal: Deno.Signal): Promise<void> {
  await server.end(signal);
  await server.start();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
