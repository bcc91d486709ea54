import { deepEqual, equal, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  ChunkPlanner,
  type FilePlan,
  MAX_CHUNK_RECORDS,
  planBytes,
  type PlannedChunk,
  type PlanOptions,
} from "../../domain/plan_chunks.ts";
import { type CsvLimits, type CsvRecord, scanCsv } from "../../domain/scan_csv.ts";
import { blockSizes, cutBlocks, scanNaively, smallLimits, soup } from "./_csv_soup.ts";

interface Case {
  name: string;
  input: string;
  /** Text, first line and records of each chunk. */
  chunks: [text: string, firstLine: number, records: number][];
  header: string[] | null;
  options?: PlanOptions;
}

const CASES: Case[] = [
  { name: "finds no header in an empty file", input: "", chunks: [], header: null },
  { name: "finds no header behind a byte order mark", input: "\ufeff", chunks: [], header: null },
  { name: "finds no header in blank lines", input: "\n\r\n\r", chunks: [], header: null },
  { name: "plans no chunk for a header alone", input: "a,b\r\n", chunks: [], header: ["a", "b"] },
  { name: "takes a header without line end", input: "a,b", chunks: [], header: ["a", "b"] },
  {
    name: "starts behind the line of the header, which may span lines",
    input: '\ufeff\n\n"a\nb",c\r\n1,2\n',
    chunks: [["1,2\n", 5, 1]],
    header: ["a\nb", "c"],
  },
  {
    name: "cuts at the first border at or past the target",
    input: "h\n123\n1234\n1\n",
    chunks: [["123\n", 2, 1], ["1234\n", 3, 1], ["1\n", 4, 1]],
    header: ["h"],
    options: { chunkBytes: 4 },
  },
  {
    name: "never cuts inside quotes or a CRLF",
    input: 'h\r\n"1\n2\n3"\r\n4\r\n5\r\n',
    chunks: [['"1\n2\n3"\r\n', 2, 1], ["4\r\n5\r\n", 5, 2]],
    header: ["h"],
    options: { chunkBytes: 4 },
  },
  {
    name: "cuts a run of blank lines, and counts none of them",
    input: "h\n1\n\n\n\n\n2\n\n",
    chunks: [["1\n\n", 2, 1], ["\n\n\n", 4, 0], ["2\n\n", 7, 1]],
    header: ["h"],
    options: { chunkBytes: 3 },
  },
  {
    name: "gives a record over the cap a chunk of its own",
    input: "h\n1\n2\n0123456789\n3\n4\n",
    chunks: [["1\n2\n", 2, 2], ["0123456789\n", 4, 1], ["3\n4\n", 5, 2]],
    header: ["h"],
    options: { limits: { maxRecordBytes: 8, maxColumns: 3 } },
  },
  {
    name: "takes in a record over the cap at the end of the file",
    input: "h\n\n0123456789",
    chunks: [["\n", 2, 0], ["0123456789", 3, 1]],
    header: ["h"],
    options: { limits: { maxRecordBytes: 8, maxColumns: 3 } },
  },
  {
    name: "counts the pieces of a broken quote",
    input: 'h\n"1\n2\n3',
    chunks: [['"1\n', 2, 1], ["2\n", 3, 1], ["3", 4, 1]],
    header: ["h"],
    options: { chunkBytes: 1 },
  },
];

for (const { name, input, chunks, header, options } of CASES) {
  Deno.test({
    name: `ChunkPlanner ${name}, at every split of the input`,
    permissions: "none",
    async fn() {
      const bytes = new TextEncoder().encode(input);
      for (const windowBytes of [1, 3, 1000]) {
        for (let at = 0; at <= bytes.length; at++) {
          const blocks = [bytes.slice(0, at), bytes.slice(at)];
          const plan = await planBlocks(blocks, { ...options, windowBytes });
          const planned = plan.chunks.map(({ byteStart, byteEnd, firstLine, records }) => {
            const text = new TextDecoder().decode(bytes.subarray(byteStart, byteEnd));
            return [text, firstLine, records];
          });
          deepEqual(planned, chunks);
          deepEqual(plan.header?.fields ?? null, header);
          equal(plan.records, chunks.reduce((sum, [, , records]) => sum + records, 0));
        }
      }
    },
  });
}

Deno.test({
  name: "ChunkPlanner tells size, hash, dialect and whether the file ends with a line end",
  permissions: "none",
  async fn() {
    for (
      const [text, endsWithNewline] of [["", false], ["a|b\n", true], ["a|b\r", true], [
        "a|b",
        false,
      ]] as const
    ) {
      const bytes = new TextEncoder().encode(text);
      const plan = await planBlocks([bytes], {});
      deepEqual([plan.sizeBytes, plan.endsWithNewline], [bytes.length, endsWithNewline]);
      equal(plan.sha256, sha256(bytes));
      equal(plan.dialect.delimiter, text === "" ? "," : "|");
    }
  },
});

const BAD_HEADERS = [
  { fault: "broken_quote", input: '"a,b\n1,2' },
  { fault: "nul_byte", input: "a,\0\n1,2" },
  { fault: "too_many_columns", input: "a,b,c,d\n1,2" },
  { fault: "record_too_long", input: "abcdefgh,ijklmnopq\n1,2" },
];

for (const { fault, input } of BAD_HEADERS) {
  Deno.test({
    name: `ChunkPlanner hands on the fault of a header: ${fault}`,
    permissions: "none",
    async fn() {
      const limits = { maxRecordBytes: 12, maxColumns: 3 };
      const plan = await planBlocks([new TextEncoder().encode(input)], { limits });
      equal(plan.header?.fault, fault);
      deepEqual(plan.chunks.map(({ records, firstLine }) => [records, firstLine]), [[1, 2]]);
    },
  });
}

Deno.test({
  name: "ChunkPlanner and scanCsv() agree about every record of byte soup",
  permissions: "none",
  async fn() {
    const sizes = fc.integer({ min: 1, max: 30 });
    await fc.assert(
      fc.asyncProperty(
        soup,
        smallLimits,
        sizes,
        sizes,
        blockSizes,
        async (bytes, limits, chunk, window, cut) => {
          const options = { limits, chunkBytes: chunk, windowBytes: window };
          const plan = await planBlocks(cutBlocks(bytes, cut), options);
          deepEqual(plan, await planBlocks([bytes], { ...options, windowBytes: 1000 }));
          equal(plan.sha256, sha256(bytes));

          const { bomBytes } = plan.dialect;
          equal(bomBytes, 0);
          const [header, ...expected] = scanNaively(bytes, { dialect: plan.dialect, limits });
          deepEqual(plan.header, header ?? null);
          const read = plan.chunks.map((planned) =>
            readChunk(bytes, planned, plan.dialect, limits)
          );
          deepEqual(read.flat(), expected);
          deepEqual(plan.chunks.map(({ records }) => records), read.map(({ length }) => length));
          equal(plan.records, expected.length);
          if (header !== undefined) checkChunks(bytes, plan.chunks, header, options);
        },
      ),
      { numRuns: 10_000 },
    );
  },
});

function checkChunks(
  bytes: Uint8Array,
  chunks: PlannedChunk[],
  header: CsvRecord,
  { chunkBytes, limits }: { chunkBytes: number; limits: CsvLimits },
): void {
  let at = header.byteEnd;
  at += bytes[at] === 13 && bytes[at + 1] === 10 ? 2 : 1;
  for (const [i, { chunkNo, byteStart, byteEnd, checksum, records }] of chunks.entries()) {
    deepEqual([chunkNo, byteStart], [i, at]);
    ok(byteEnd > byteStart);
    equal(checksum, sha256(bytes.subarray(byteStart, byteEnd)).slice(0, 32));
    if (byteEnd - byteStart > chunkBytes + limits.maxRecordBytes + 2) equal(records, 1);
    at = byteEnd;
  }
  equal(Math.min(at, bytes.length), bytes.length);
}

Deno.test({
  name: "ChunkPlanner plans a line of 130 million columns in constant memory",
  permissions: "none",
  async fn() {
    const block = new Uint8Array(1_000_000).fill(0x2c);
    const planner = new ChunkPlanner();
    const before = Deno.memoryUsage().rss;
    await planner.push(new TextEncoder().encode("a,b\n1,2\n"));
    for (let i = 0; i < 130; i++) await planner.push(block);
    const grown = Deno.memoryUsage().rss - before;
    await planner.push(new TextEncoder().encode("\n3,4\n"));
    const { chunks } = await planner.end();
    deepEqual(chunks.map(({ byteStart, byteEnd }) => byteEnd - byteStart), [4, 130_000_001, 4]);
    ok(grown < 64_000_000, `grown by ${grown} bytes`);
  },
});

Deno.test({
  name: "ChunkPlanner cuts real rows at 2 MiB, and the chunks hold every row once",
  permissions: "none",
  async fn() {
    const ROWS = 80_000;
    let text = "id,name\n";
    const name = "with a name as long as those of real rows, ".repeat(2);
    for (let i = 0; i < ROWS; i++) text += `${i},"Chair, number ${i}, ${name}\n""new"""\r\n`;
    const bytes = new TextEncoder().encode(text);
    const { chunks, dialect, records } = await planBlocks(cutBlocks(bytes, [65_536, 1, 999]), {});
    equal(records, ROWS);
    ok(chunks.length > 1);
    let id = 0;
    for (const { byteStart, byteEnd, firstLine, checksum } of chunks) {
      equal(checksum, sha256(bytes.subarray(byteStart, byteEnd)).slice(0, 32));
      const scan = { dialect, byteStart, firstLine };
      for (const { line, fields } of scanCsv(bytes.subarray(byteStart, byteEnd), scan)) {
        if (Number(fields[0]) !== id || line !== 2 + 2 * id) {
          equal(`${fields[0]} at ${line}`, `${id}`);
        }
        id++;
      }
    }
    equal(id, ROWS);
    for (const { byteStart, byteEnd } of chunks.slice(0, -1)) {
      ok(byteEnd - byteStart >= 2 * 1024 * 1024 && byteEnd - byteStart < 2 * 1024 * 1024 + 150);
    }
  },
});

async function planBlocks(blocks: Iterable<Uint8Array>, options: PlanOptions) {
  const planner = new ChunkPlanner(options);
  for (const block of blocks) await planner.push(block);
  return await planner.end();
}

function readChunk(
  bytes: Uint8Array,
  { byteStart, byteEnd, firstLine }: PlannedChunk,
  dialect: FilePlan["dialect"],
  limits: CsvLimits,
): CsvRecord[] {
  const options = { dialect, limits, byteStart, firstLine };
  return [...scanCsv(bytes.subarray(byteStart, byteEnd), options)];
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

Deno.test({
  name: "ChunkPlanner cuts short records by their number, long before the bytes are many",
  permissions: "none",
  async fn() {
    const lines = 2 * MAX_CHUNK_RECORDS + 7;
    const { chunks } = await planBytes(new TextEncoder().encode("h\n" + "x\n".repeat(lines)));
    deepEqual(chunks.map(({ records }) => records), [MAX_CHUNK_RECORDS, MAX_CHUNK_RECORDS, 7]);
    deepEqual(chunks.map(({ byteStart }) => byteStart), [2, 100_002, 200_002]);
    deepEqual(chunks.map(({ firstLine }) => firstLine), [2, 50_002, 100_002]);
  },
});
