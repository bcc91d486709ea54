import { Prng } from "../../domain/generator/prng.ts";
import { waitFor } from "../harness.ts";
import { assertPlanted, plantFiles } from "./_planted_files.ts";
import { type FaultPipeline, faultPipeline } from "./_fault_pipeline.ts";
import { readNumber, readSeed } from "./_read_number.ts";
import type { WorkerProcess } from "./_start_worker_process.ts";

const KILLS = readNumber("CLICKLEDGER_TEST_KILLS", 4);
const FILES = readNumber("CLICKLEDGER_TEST_FILES", 12);
const ROWS = readNumber("CLICKLEDGER_TEST_ROWS", 2_000);
const SEED = readSeed();
/** A kill comes up to this long after the progress it waited for, so that it hits any step. */
const MAX_DELAY_MS = 60;

Deno.test(`kill -9 of the worker, ${KILLS} times while ${FILES} files load → every event once`, async () => {
  console.log(`seed ${SEED}: CLICKLEDGER_TEST_SEED=${SEED} repeats the moments of the kills`);
  await using pipeline = await faultPipeline({ chunkBytes: 32 * 1024 });
  const planted = await plantFiles(pipeline.inbox, { files: FILES, rows: ROWS, seed: SEED });
  // Every other file takes the long way, whose chunks are loaded by several attempts.
  const handles = await Promise.all(
    planted.names.map((name, index) => pipeline.ingest(name, { shortWay: index % 2 === 0 })),
  );

  let worker = await pipeline.startWorker();
  for (const { progress, delayMs } of drawKills(await totalProgress(pipeline, planted.names))) {
    await waitFor(async () => await readProgress(pipeline) >= progress, {
      what: `progress ${progress}`,
      timeoutMs: 60_000,
    });
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    worker = await replace(worker, pipeline);
  }
  await Promise.all(handles.map((handle) => handle.result()));

  await assertPlanted(pipeline, planted);
  await waitFor(async () => (await openTransactions(pipeline)) === 0, {
    what: "the transactions of killed workers to end",
  });
});

/** Seeded moments, spread over the whole load. */
function drawKills(total: number): { progress: number; delayMs: number }[] {
  const prng = new Prng(SEED, 0);
  return Array.from({ length: KILLS }, () => ({
    progress: prng.below(Math.ceil(total * 0.95)),
    delayMs: prng.below(MAX_DELAY_MS),
  })).toSorted((a, b) => a.progress - b.progress);
}

async function replace(worker: WorkerProcess, pipeline: FaultPipeline): Promise<WorkerProcess> {
  worker.kill("SIGKILL");
  await worker.exited;
  return await pipeline.startWorker();
}

/** Claimed, committed chunk by chunk, complete, settled: each step of a file counts. */
async function readProgress({ sql }: FaultPipeline): Promise<number> {
  const [row] = await sql<{ progress: number }[]>`
    select (select count(*) + count(f.committed_at) + count(f.settled_at) from ingest.files f)::integer
         + (select count(c.committed_at) from ingest.chunks c)::integer as progress`;
  return row?.progress ?? 0;
}

async function totalProgress(
  { inbox, setup }: FaultPipeline,
  names: readonly string[],
): Promise<number> {
  let total = 0;
  for (const name of names) {
    const { size } = await Deno.stat(`${inbox}/${name}`);
    total += 3 + Math.ceil(size / setup.chunkBytes);
  }
  return total;
}

async function openTransactions({ sql }: FaultPipeline): Promise<number> {
  const [row] = await sql<{ open: number }[]>`
    select count(*)::integer as open from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and state like 'idle in transaction%'`;
  return row?.open ?? 0;
}
