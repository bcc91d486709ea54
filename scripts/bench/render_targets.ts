import type { Cell, Column } from "../cli/print_rows.ts";
import { round } from "./round.ts";
import {
  type Figures,
  judge,
  renderHeld,
  type Target,
  type TargetBench,
  type TargetRow,
} from "./target.ts";

/** A line with what was measured for it. */
export interface TargetResult {
  readonly bench: string;
  readonly row: TargetRow;
  readonly figures: Figures;
}

/** Columns of the table of what was measured. */
export const RESULT_COLUMNS: Column[] = [
  { name: "bench" },
  { name: "what", maxWidth: 60 },
  { name: "rival", maxWidth: 50 },
  { name: "unit" },
  { name: "ours", isNumber: true },
  { name: "rival_value", isNumber: true },
  { name: "ratio", isNumber: true },
  { name: "at_least" },
  { name: "held" },
  { name: "aim" },
  { name: "verdict" },
];

/** One line of that table. */
export function renderResult({ bench, row, figures }: TargetResult): Cell[] {
  const { what, rival, unit, target } = row;
  const [bound, aim] = renderTarget(row);
  const begin = [bench, what, rival, unit];
  if ("skipped" in figures) {
    return [...begin, null, null, null, bound, null, aim, `skipped: ${figures.skipped}`];
  }
  const { ours, rival: rivalValue = null, ratio = null } = figures;
  const values = [ours, rivalValue, ratio].map(round);
  return [...begin, ...values, bound, renderHeld(figures, target), aim, judge(figures, target)];
}

/** Columns of the list of what can be measured. */
export const LIST_COLUMNS: Column[] = ["bench", "what", "rival", "at_least", "aim"]
  .map((name) => ({ name }));

/** Lines of that list. */
export function listTargets(benches: readonly TargetBench[]): Cell[][] {
  return benches.flatMap(({ name, rows }) =>
    rows.map((row) => [name, row.what, row.rival, ...renderTarget(row)])
  );
}

/** `≥ 1.2 ×` where a ratio is judged, `≤ 30 ms` where the figure is. */
function renderTarget({ rival, unit, target }: TargetRow): [bound: Cell, aim: Cell] {
  const { atLeast, atMost, aim }: Target = target;
  const direction = atMost === undefined ? "≥" : "≤";
  const render = (bound: number | undefined) =>
    bound === undefined ? null : `${direction} ${bound} ${rival === null ? unit : "×"}`;
  return [render(atLeast ?? atMost), render(aim)];
}
