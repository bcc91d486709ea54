import type { Stage } from "./stage.ts";

/** One line of the table of targets, as far as it is known before anything is measured. */
export interface TargetRow {
  readonly what: string;
  /** What it is measured against; null where the figure itself is judged. */
  readonly rival: string | null;
  /** Of both figures. */
  readonly unit: string;
  readonly target: Target;
}

/** What is asked of a figure, or of its ratio to the rival's; one of `atLeast` and `atMost`, or none. */
export interface Target {
  readonly atLeast?: number;
  readonly atMost?: number;
  /** In the same direction, further on. */
  readonly aim?: number;
}

/** What was measured for a line, or why nothing was. */
export type Figures =
  | {
    readonly ours: number;
    readonly rival?: number;
    readonly ratio?: number;
    /** Of each run what is judged: the ratio where there is one, else the figure. */
    readonly ofRuns?: readonly number[];
  }
  | { readonly skipped: string };

/** How much is measured. */
export interface Amount {
  /** About how many records a large file has; small files and their number are scaled from it. */
  readonly records: number;
  /** Of which the median counts; undefined: as many as the bench has time for. */
  readonly runs?: number;
  readonly onProgress: (line: string) => void;
}

/** A bench that fills lines of the table of targets. */
export interface TargetBench {
  /** As in `deno task bench --only NAME`. */
  readonly name: string;
  readonly rows: readonly TargetRow[];
  /**
   * @returns Figures for each of the rows, in their order.
   * @throws when a contender's result is wrong: its time would say nothing
   */
  readonly measure: (stage: Stage, amount: Amount) => Promise<readonly Figures[]>;
}

/** What a line is judged to be. */
export type Verdict = "aim reached" | "ok" | "below" | "";

/** Judges the ratio where there is one, else the figure. */
export function judge(figures: Figures, target: Target): Verdict {
  if ("skipped" in figures) return "";
  const { ours, ratio = ours } = figures;
  const { aim } = target;
  if (aim !== undefined && reaches(ratio, aim, target)) return "aim reached";
  const bound = boundOf(target);
  if (bound === undefined) return "";
  return reaches(ratio, bound, target) ? "ok" : "below";
}

/** In how many runs what is asked was reached, such as `2 of 3`; null where nothing is asked, or was measured. */
export function renderHeld(figures: Figures, target: Target): string | null {
  const bound = boundOf(target);
  if ("skipped" in figures || bound === undefined) return null;
  const { ours, ratio = ours, ofRuns = [ratio] } = figures;
  const held = ofRuns.filter((value) => reaches(value, bound, target));
  return `${held.length} of ${ofRuns.length}`;
}

function boundOf({ atLeast, atMost }: Target): number | undefined {
  return atLeast ?? atMost;
}

function reaches(value: number, bound: number, { atMost }: Target): boolean {
  return atMost === undefined ? value >= bound : value <= bound;
}
