/**
 * Records per second of the scanner beside csv-parse, on the same bytes in the same run:
 * `deno run -A tests/bench/scan_csv_bench.ts [records]`.
 */
import { deepEqual, equal } from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { ChunkPlanner } from "../../domain/plan_chunks.ts";
import { scanCsv } from "../../domain/scan_csv.ts";

const HEADER =
  "event_id,event_time,event_type,user_id,session_id,product_id,product_name,category," +
  "brand,price,currency,quantity,order_id,device,country\n";
const UUID = "0190a1b2-c3d4-7e5f-8a9b-";
const ROWS = {
  plain: (id: string) =>
    `${UUID}${id},2026-01-23T05:02:21.123Z,product_view,user_12345,${UUID}0c1d2e3f4a5b,p_987,` +
    `Ergonomic Chair,home.chairs,Acme,129.99,USD,1,,desktop,DE\n`,
  quoted: (id: string) =>
    `${UUID}${id},2026-01-23T05:02:21.123Z,product_view,user_12345,${UUID}0c1d2e3f4a5b,p_987,` +
    `"Chair, ""Ergo"", red",home.chairs,Acme,129.99,USD,1,,desktop,DE\n`,
  accented: (id: string) =>
    `${UUID}${id},2026-01-23T05:02:21.123Z,product_view,user_12345,${UUID}0c1d2e3f4a5b,p_987,` +
    `Chaise élégante,home.chairs,Acme,129.99,EUR,1,,desktop,FR\n`,
};
const DIALECT = { delimiter: ",", bomBytes: 0 } as const;
const RUNS = 5;

const records = Number(Deno.args[0] ?? 100_000);
for (const [name, row] of Object.entries(ROWS)) {
  let text = HEADER;
  for (let i = 0; i < records; i++) text += row(i.toString(16).padStart(12, "0"));
  const bytes = new TextEncoder().encode(text);
  const chunks = planChunks(bytes);
  const first = scanCsv(bytes, { dialect: DIALECT });
  deepEqual(first.next().value?.fields, HEADER.trim().split(","));

  const scanned = measure(() => {
    let fields = 0;
    for (const { byteStart, byteEnd, firstLine } of chunks) {
      const chunk = bytes.subarray(byteStart, byteEnd);
      for (const record of scanCsv(chunk, { dialect: DIALECT, byteStart, firstLine })) {
        fields += record.fields.length;
      }
    }
    return fields;
  });
  const planned = measure(() => planChunks(bytes).reduce((sum, chunk) => sum + chunk.records, 0));
  const parsed = measure(() => parse(bytes, { from: 2 }).length);
  const located = measure(() => parse(bytes, { from: 2, raw: true, info: true }).length);
  equal(scanned.result, records * 15);
  deepEqual([planned.result, parsed.result, located.result], [records, records, records]);

  console.log(`${name}: ${records} records of ${(bytes.length / records).toFixed(0)} bytes`);
  report("scanCsv", scanned.ms, bytes.length);
  report("ChunkPlanner with sha-256", planned.ms, bytes.length);
  report("csv-parse", parsed.ms, bytes.length);
  report("csv-parse with raw and info", located.ms, bytes.length);
}

function planChunks(bytes: Uint8Array) {
  const planner = new ChunkPlanner();
  const chunks = planner.push(bytes);
  return [...chunks, ...planner.end().chunks];
}

/** Median of some runs, after one to warm up. */
function measure<T>(run: () => T): { result: T; ms: number } {
  let result = run();
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    result = run();
    return performance.now() - start;
  });
  return { result, ms: times.sort((a, b) => a - b)[Math.floor(RUNS / 2)]! };
}

function report(name: string, ms: number, bytes: number): void {
  const rate = (records / ms / 1000).toFixed(2);
  const throughput = (bytes / ms / 1048.576).toFixed(0);
  console.log(
    `  ${name.padEnd(28)} ${rate.padStart(6)} M records/s  ${throughput.padStart(5)} MiB/s`,
  );
}
