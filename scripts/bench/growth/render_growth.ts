import type { Cell, Column } from "../../cli/print_rows.ts";
import { round } from "../round.ts";
import type { GrowthPoint } from "./measure_growth.ts";

/** Columns of the table of what grows. */
export const GROWTH_COLUMNS: Column[] = [
  { name: "grows" },
  { name: "value" },
  { name: "records", isNumber: true },
  { name: "seconds", isNumber: true },
  { name: "records_per_second", isNumber: true },
];

/** One line of it. */
export function renderPoint({ series, x, records, seconds }: GrowthPoint): Cell[] {
  return [series, renderX({ series, x }), records, round(seconds), round(records / seconds)];
}

/** `10,000`, or `50 %` of a share. */
export function renderX({ series, x }: Pick<GrowthPoint, "series" | "x">): string {
  return series === "rejects" || series === "duplicates"
    ? `${x * 100} %`
    : x.toLocaleString("en-US");
}
