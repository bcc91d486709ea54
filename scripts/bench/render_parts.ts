import type { Cell, Column } from "../cli/print_rows.ts";
import { round } from "./round.ts";
import type { BenchResult } from "./run_bench.ts";

/** Columns of the table of parts. */
export const PART_COLUMNS: Column[] = [
  { name: "bench" },
  { name: "input" },
  { name: "what" },
  { name: "records", isNumber: true },
  { name: "seconds", isNumber: true },
  { name: "records_per_second", isNumber: true },
  { name: "mb_per_second", isNumber: true },
  { name: "times_rival", isNumber: true },
];

/** One line of it. */
export function renderPart(result: BenchResult): Cell[] {
  const { bench, input, what, records, seconds, recordsPerSecond } = result;
  return [
    ...[bench, input, what, records, round(seconds), Math.round(recordsPerSecond)],
    ...[round(result.megabytesPerSecond), round(result.timesRival)],
  ];
}
