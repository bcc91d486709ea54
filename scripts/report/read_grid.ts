import { numberOf } from "./format_value.ts";
import type { Plot, Row, Value } from "./report_question.ts";

/** Rows of an answer as a grid; null where there is no row for a cell. */
export interface Grid {
  readonly rows: readonly Value[];
  readonly columns: readonly Value[];
  readonly cells: readonly (readonly (number | null)[])[];
  readonly largest: number;
}

/**
 * Arranges rows by two of their columns, in the order in which their values come.
 */
export function readGrid(
  rows: readonly Row[],
  { row, column, value }: Extract<Plot, { kind: "grid" }>,
): Grid {
  const rowNames = [...new Set(rows.map((one) => one[row]!))];
  const columnNames = [...new Set(rows.map((one) => one[column]!))];
  const values = new Map(
    rows.map((one) => [`${one[row]}/${one[column]}`, numberOf(one[value.name])]),
  );
  const cells = rowNames.map((name) =>
    columnNames.map((other) => values.get(`${name}/${other}`) ?? null)
  );
  // The share of a cohort in its own week is always 1, and would make all others pale.
  const compared = value.kind === "share" ? cells.map((line) => line.slice(1)) : cells;
  const largest = Math.max(0, ...compared.flat().map((cell) => cell ?? 0));
  return { rows: rowNames, columns: columnNames, cells, largest };
}
