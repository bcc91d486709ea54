import assert from "node:assert/strict";
import { eventLines, eventRows } from "../event_lines.ts";
import { waitFor } from "../harness.ts";
import { writeEvents } from "../../domain/generator/write_events.ts";
import { type FaultPipeline, faultPipeline } from "./_fault_pipeline.ts";

const ROWS = 20;
const NAME = "events.csv";
/** The last record is an event as it stands: only a column that the contract does not know is cut. */
const begun = eventLines({ seed: 97, rows: ROWS }).trimEnd().split("\n")
  .map((line, n) => line + (n === 0 ? ",note" : ",as")).join("\n");
const oneMore = writeEvents(eventRows({ seed: 97, rows: 1, from: ROWS })).trimEnd();

Deno.test("Worker killed while it takes a cut record out → the whole one is there once", async () => {
  await using pipeline = await faultPipeline();
  const { inbox } = pipeline;
  await Deno.writeTextFile(`${inbox}/${NAME}`, begun);
  const worker = await pipeline.startWorker();
  const older = await (await pipeline.ingest(NAME)).result();
  assert.equal(older.loaded, ROWS);

  await Deno.writeTextFile(`${inbox}/${NAME}`, `${begun}certained\n${oneMore},as\n`);
  // The event is deleted by then, and its chunk's count is still to be changed.
  await using holder = await holdChunks(pipeline, older.fileId);
  const handle = await pipeline.ingest(NAME, { shortWay: false });
  await waitFor(() => isWaiting(pipeline), { what: "the transaction to come to the chunk" });
  worker.kill("SIGKILL");
  await worker.exited;
  assert.deepEqual(await eventsByFile(pipeline), { [older.fileId]: ROWS });
  await holder.release();

  await pipeline.runWorker();
  const newer = await handle.result();
  assert.deepEqual([newer.loaded, newer.duplicates, newer.rejected], [2, ROWS - 1, 0]);
  assert.deepEqual(await eventsByFile(pipeline), { [older.fileId]: ROWS - 1, [newer.fileId]: 2 });
  assert.deepEqual(await pipeline.verify(), []);
});

/** Keeps others from changing the chunks of a file. */
async function holdChunks({ sql }: FaultPipeline, fileId: number) {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const transaction = sql.begin(async (tx) => {
    await tx`select from ingest.chunks where file_id = ${fileId} for update`;
    held.resolve();
    await released.promise;
  });
  await held.promise;
  const release = async () => {
    released.resolve();
    await transaction;
  };
  return { release, [Symbol.asyncDispose]: release };
}

async function isWaiting({ sql }: FaultPipeline): Promise<boolean> {
  const waiting = await sql`
    select from pg_stat_activity
    where datname = current_database() and application_name = 'clickledger ingest'
      and wait_event_type = 'Lock'`;
  return waiting.length > 0;
}

async function eventsByFile({ sql }: FaultPipeline): Promise<Record<string, number>> {
  const rows = await sql<{ file_id: string; events: number }[]>`
    select file_id::text, count(*)::integer as events from shop.events group by file_id`;
  return Object.fromEntries(rows.map(({ file_id, events }) => [file_id, events]));
}
