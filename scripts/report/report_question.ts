import type { ReportWindow } from "./report_window.ts";

/** A value as the driver gives it: numbers of more digits than a float holds come as text. */
export type Value = string | number | boolean | Date | null;

/** One row of an answer, by column. */
export type Row = Readonly<Record<string, Value>>;

/** How a column is written. */
export type Kind = "text" | "time" | "count" | "money" | "share" | "ratio";

/** A column that people see; programs get all of them. */
export interface ShownColumn {
  readonly name: string;
  readonly label: string;
  readonly kind: Kind;
}

/** How an answer is drawn: a line over time, a bar per row, or a grid of shades. */
export type Plot =
  | { readonly kind: "line"; readonly x: string; readonly y: ShownColumn }
  | { readonly kind: "bars"; readonly label: string; readonly value: ShownColumn }
  | {
    readonly kind: "grid";
    readonly row: string;
    readonly column: string;
    readonly value: ShownColumn;
    /** Writes a row's name. */
    readonly rowLabel: (value: Value) => string;
    readonly columnLabel: (value: Value) => string;
  };

/** A question that people ask, with the query that answers it. */
export interface ReportQuestion {
  /** As in `--only`. */
  readonly id: string;
  readonly title: string;
  /** The query as a person could run it. */
  readonly query: (window: ReportWindow) => string;
  /** The answer in a sentence; null where the rows have nothing to say. */
  readonly headline: (rows: readonly Row[], window: ReportWindow) => string | null;
  readonly columns: readonly ShownColumn[];
  readonly plot: Plot;
  /** Rows of the table; the plot shows all. */
  readonly maxRows?: number;
}

/** A question with its answer. */
export interface Answer {
  readonly question: ReportQuestion;
  readonly query: string;
  /** Null: there is nothing to say. */
  readonly headline: string | null;
  readonly rows: readonly Row[];
}
