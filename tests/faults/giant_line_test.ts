import assert from "node:assert/strict";
import { EVENT_HEADER, writeEvents } from "../../domain/generator/write_events.ts";
import { eventRows } from "../event_lines.ts";
import { type FaultPipeline, faultPipeline } from "./_fault_pipeline.ts";
import { peakMib } from "./_peak_mib.ts";
import { readNumber } from "./_read_number.ts";

const MIB = 1024 * 1024;
const LINE_MIB = readNumber("CLICKLEDGER_TEST_LINE_MIB", 160);
/** What a worker may take more than for a small file: blocks and windows, and what of them waits for the collector. */
const MEMORY_MIB = 128;

const ROWS = 10;
const EVENTS = eventRows({ seed: 71, rows: 5 * ROWS });

/** A file around a line that takes no room on the disk, and what becomes of it. */
const FILES = [
  { name: "a line without an end, alone.csv", before: "", after: "", loaded: null },
  { name: "a line without an end.csv", before: text(0), after: "", loaded: ROWS },
  { name: "a long line.csv", before: text(1), after: `\n${lines(2)}`, loaded: 2 * ROWS },
  { name: "a quote without an end.csv", before: `${text(3)}"`, after: "", loaded: ROWS },
];

Deno.test({
  name: `A line of ${LINE_MIB} MiB → one reject, in bounded memory`,
  // Elsewhere nothing tells how much memory a process took.
  ignore: Deno.build.os !== "linux",
  async fn(t) {
    await using pipeline = await faultPipeline({ chunkBytes: 4 * MIB });
    const worker = await pipeline.startWorker();
    await Deno.writeTextFile(`${pipeline.inbox}/small.csv`, text(4));
    assert.equal((await ingestRow(pipeline, "small.csv")).loaded, ROWS);
    const before = await peakMib(worker.pid);

    for (const { name, before, after, loaded } of FILES) {
      await t.step(name, async () => {
        await writeSparse(`${pipeline.inbox}/${name}`, before, after);
        const file = await ingestRow(pipeline, name);
        if (loaded === null) return assert.equal(file.error_code, "header_not_recognised");
        assert.deepEqual([file.state, file.loaded, file.rejected], ["loaded", loaded, 1]);
        const [reject] = await pipeline.sql`
        select faults -> 0 ->> 'code' as code, line_number::integer as line,
               octet_length(raw) as kept, raw_truncated
        from ingest.rejects where file_id = ${file.file_id}`;
        assert.deepEqual({ ...reject }, {
          code: "record_too_long",
          line: ROWS + 2,
          kept: 64 * 1024,
          raw_truncated: true,
        });
      });
    }

    const rise = await peakMib(worker.pid) - before;
    console.log(`Memory rose by ${rise} MiB from ${before}`);
    assert.ok(rise < MEMORY_MIB, `rose by ${rise} MiB`);
    assert.deepEqual(await pipeline.verify(), []);
  },
});

function lines(part: number): string {
  return writeEvents(EVENTS.slice(part * ROWS, (part + 1) * ROWS));
}

function text(part: number): string {
  return EVENT_HEADER + lines(part);
}

async function writeSparse(path: string, before: string, after: string): Promise<void> {
  using file = await Deno.create(path);
  const encoder = new TextEncoder();
  const start = encoder.encode(before);
  await file.write(start);
  await file.truncate(start.length + LINE_MIB * MIB);
  await file.seek(0, Deno.SeekMode.End);
  await file.write(encoder.encode(after));
}

async function ingestRow(pipeline: FaultPipeline, name: string) {
  const handle = await pipeline.ingest(name);
  await handle.result().catch(() => {});
  const [row] = await pipeline.sql`
    select file_id::integer, state, error_code, loaded::integer, rejected::integer
    from ingest.files where workflow_id = ${handle.workflowId}`;
  return row!;
}
