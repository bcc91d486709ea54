import { deepEqual, equal } from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { planBytes } from "../../domain/plan_chunks.ts";
import { scanCsv } from "../../domain/scan_csv.ts";
import type { Bench, BenchCase } from "./bench.ts";

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

/** The scanner and the planner beside csv-parse, on the same bytes. */
export const SCAN: Bench = {
  name: "scan",
  about: "CSV bytes to fields with line and byte range, and to a chunk plan, beside csv-parse",
  prepare: async (records) => {
    const inputs = Object.entries(ROWS).map(([name, row]) => cases(name, row, records / 5));
    return (await Promise.all(inputs)).flat();
  },
};

async function cases(
  input: string,
  row: (id: string) => string,
  wanted: number,
): Promise<BenchCase[]> {
  const records = Math.ceil(wanted);
  let text = HEADER;
  for (let i = 0; i < records; i++) text += row(i.toString(16).padStart(12, "0"));
  const bytes = new TextEncoder().encode(text);
  const chunks = (await planBytes(bytes)).chunks;
  const first = scanCsv(bytes, { dialect: DIALECT });
  deepEqual(first.next().value?.fields, HEADER.trim().split(","));

  const scan = () => {
    let fields = 0;
    for (const { byteStart, byteEnd, firstLine } of chunks) {
      const chunk = bytes.subarray(byteStart, byteEnd);
      for (const record of scanCsv(chunk, { dialect: DIALECT, byteStart, firstLine })) {
        fields += record.fields.length;
      }
    }
    return fields / 15;
  };
  const plan = async () =>
    (await planBytes(bytes)).chunks.reduce((sum, chunk) => sum + chunk.records, 0);
  const timed = (
    what: string,
    count: () => number | Promise<number>,
    isRival = false,
  ): BenchCase => ({
    input,
    what,
    isRival,
    async run() {
      equal(await count(), records);
      return { records, bytes: bytes.length };
    },
  });
  return [
    timed("scanCsv, with line and byte range", scan),
    timed("ChunkPlanner, with sha-256", plan),
    timed("csv-parse", () => parse(bytes, { from: 2 }).length),
    timed("csv-parse, with raw and info", () => {
      return parse(bytes, { from: 2, raw: true, info: true }).length;
    }, true),
  ];
}
