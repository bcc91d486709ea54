import assert from "node:assert/strict";
import { CHUNK_BYTES } from "../../domain/plan_chunks.ts";
import { waitFor } from "../harness.ts";
import { type FaultPipeline, faultPipeline } from "./_fault_pipeline.ts";
import { peakMib } from "./_peak_mib.ts";
import { readNumber } from "./_read_number.ts";
import { writeLargeFile } from "./_write_large_file.ts";

const ROWS = readNumber("CLICKLEDGER_TEST_LARGE_ROWS", 6_000);
/** The chunks of a small file are small, so that there are as many as in a large one. */
const chunkBytes = ROWS >= 100_000 ? CHUNK_BYTES : 16 * 1024;
const TIMEOUT_MS = 30_000 + ROWS;

/** A chunk as it was committed. */
interface CommittedChunk {
  chunk_no: number;
  committed_at: Date;
  epoch: number;
  worker: string;
}

Deno.test(`kill -9 in the middle of a file of ${ROWS} rows → it resumes, it does not restart`, async () => {
  await using pipeline = await faultPipeline({ chunkBytes });
  const path = `${pipeline.inbox}/large.csv`;
  await writeLargeFile(path, ROWS);
  const { size } = await Deno.stat(path);
  const expectedChunks = Math.ceil(size / chunkBytes);

  const first = await pipeline.startWorker();
  const handle = await pipeline.ingest("large.csv", {
    shortWay: false,
    settings: { chunksPerSpan: 8 },
  });
  await waitFor(async () => (await committedChunks(pipeline)).length >= expectedChunks / 2, {
    what: "half of the chunks to be committed",
    timeoutMs: TIMEOUT_MS,
  });
  const firstPeak = await peakMib(first.pid);
  first.kill("SIGKILL");
  await first.exited;
  const before = await committedChunks(pipeline);
  assert.ok(before.length >= expectedChunks / 2 && before.length < expectedChunks - 2);

  const second = await pipeline.startWorker();
  const result = await handle.result();
  const secondPeak = await peakMib(second.pid);
  const after = await committedChunks(pipeline);
  assert.deepEqual(sameChunks(after, before), before);
  const resumed = after.filter(({ worker }) => worker === `worker ${second.pid}`);
  assert.equal(resumed.length, after.length - before.length);
  // A takeover of an activity, not of the file: nobody claimed it again.
  assert.deepEqual(new Set(after.map(({ epoch }) => epoch)), new Set([1]));
  assert.deepEqual([result.state, result.records, result.loaded], ["loaded", ROWS, ROWS]);
  assert.deepEqual(await pipeline.verify(), []);

  const seconds = await secondsOfCommits(pipeline);
  console.log(
    `${ROWS} rows, ${
      (size / 1e6).toFixed(0)
    } MB, ${after.length} chunks: ${before.length} before ` +
      `the kill, ${resumed.length} after; ${Math.round(ROWS / seconds)} rows/s over ${
        seconds.toFixed(1)
      } s, kill included; peak memory ${firstPeak} and ${secondPeak} MiB`,
  );
});

async function committedChunks({ sql }: FaultPipeline): Promise<CommittedChunk[]> {
  return [
    ...await sql<CommittedChunk[]>`
      select chunk_no, committed_at, epoch, worker from ingest.chunks
      where committed_at is not null order by chunk_no`,
  ];
}

function sameChunks(all: CommittedChunk[], some: CommittedChunk[]): CommittedChunk[] {
  const numbers = new Set(some.map(({ chunk_no }) => chunk_no));
  return all.filter(({ chunk_no }) => numbers.has(chunk_no));
}

async function secondsOfCommits({ sql }: FaultPipeline): Promise<number> {
  const [row] = await sql<{ seconds: number }[]>`
    select extract(epoch from max(c.committed_at) - min(f.started_at))::float8 as seconds
    from ingest.files f join ingest.chunks c using (file_id)`;
  return row?.seconds ?? NaN;
}
