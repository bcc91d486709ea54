import type { Cell, Column } from "../cli/print_rows.ts";
import { round } from "./round.ts";
import type { WarehouseResult } from "./warehouse_bench.ts";

/** Columns of the table of questions. */
export const WAREHOUSE_COLUMNS: Column[] = [
  { name: "question" },
  { name: "reads" },
  { name: "events", isNumber: true },
  { name: "rows", isNumber: true },
  { name: "ms", isNumber: true },
  { name: "growth", isNumber: true },
  { name: "plan", maxWidth: 60 },
];

/** Its lines: a question at each size, those on rollups first; growth is that from the smallest size. */
export function renderWarehouse(results: readonly WarehouseResult[]): Cell[][] {
  const smallest = Math.min(...results.map(({ size }) => size));
  const base = new Map(
    results.filter(({ size }) => size === smallest).map(({ object, ms }) => [object, ms]),
  );
  return results.toSorted((a, b) =>
    a.reads === b.reads ? a.object.localeCompare(b.object) : a.reads > b.reads ? -1 : 1
  ).map(({ object, reads, size, rows, ms, plan }) => [
    ...[object, reads, size, rows, round(ms)],
    size === smallest ? null : round(ms / base.get(object)!),
    plan,
  ]);
}
