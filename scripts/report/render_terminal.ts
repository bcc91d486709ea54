import { type Cell, renderRows } from "../cli/print_rows.ts";
import { countOf } from "../cli/numbers.ts";
import { formatValue, numberOf } from "./format_value.ts";
import { blockBar, shade, sparkline } from "./plots.ts";
import { readGrid } from "./read_grid.ts";
import type { Answer, Plot, ShownColumn } from "./report_question.ts";
import type { ReportWindow } from "./report_window.ts";

/** How the terminal is. */
export interface TerminalStyle {
  readonly color: boolean;
  readonly width: number;
}

const NOTHING = "Nothing in this period.";

/** An answer as text: the question, a sentence, a plot and a table. */
export function renderTerminal(
  { question, headline, rows }: Answer,
  number: number,
  window: ReportWindow,
  style: TerminalStyle,
): string {
  const title = `${number}. ${question.title}`;
  const head = style.color ? `\x1b[1m${title}\x1b[22m` : title;
  if (headline === null) return `${head}\n   ${NOTHING}`;
  const { plot, columns, maxRows = Infinity } = question;
  const parts = [`${head}\n   ${headline}.`];
  if (plot.kind === "line") parts.push(drawLine(plot, rows, window));
  if (plot.kind === "grid") parts.push(drawGrid(plot, rows, window));
  // Of a line the last rows are the ones that people ask for.
  const shown = plot.kind === "line" ? rows.slice(-maxRows) : rows.slice(0, maxRows);
  if (shown.length > 0) parts.push(drawTable(shown, columns, plot, window, style));
  const hidden = rows.length - shown.length;
  if (hidden > 0 && shown.length > 0) {
    parts.push(
      `   … and ${countOf(hidden, "row")} ${
        plot.kind === "line" ? "before" : "more"
      }: --format csv has all`,
    );
  }
  return parts.join("\n");
}

function drawLine(
  { x, y }: Extract<Plot, { kind: "line" }>,
  rows: Answer["rows"],
  window: ReportWindow,
): string {
  const line = sparkline(rows.map((row) => numberOf(row[y.name])));
  const ends = [rows[0], rows.at(-1)].map((row) => formatValue(row?.[x], "time", window));
  return `   ${ends[0]} ${line} ${ends[1]}`;
}

function drawGrid(
  plot: Extract<Plot, { kind: "grid" }>,
  rows: Answer["rows"],
  window: ReportWindow,
): string {
  const grid = readGrid(rows, plot);
  const labels = grid.rows.map(plot.rowLabel);
  const width = Math.max(...labels.map((label) => label.length));
  const head = grid.columns.map((name) => plot.columnLabel(name).padEnd(3)).join("");
  const lines = grid.cells.map((cells, index) =>
    `   ${labels[index]!.padEnd(width)} ${
      cells.map((cell) => shade(cell, grid.largest)).join(" ").trimEnd()
    }`
  );
  const scale = `${shade(grid.largest, grid.largest)} ${
    formatValue(grid.largest, plot.value.kind, window)
  } ${plot.value.label}`;
  return [`   ${" ".repeat(width)} ${head.trimEnd()}`, ...lines, `   ${scale}`].join("\n");
}

function drawTable(
  rows: Answer["rows"],
  columns: readonly ShownColumn[],
  plot: Plot,
  window: ReportWindow,
  { color, width }: TerminalStyle,
): string {
  const heads = columns.map(({ label, kind }) => ({
    name: label,
    isNumber: kind !== "text" && kind !== "time",
    ...(kind === "text" && { maxWidth: 34 }),
  }));
  const cells = rows.map((row) =>
    columns.map(({ name, kind }): Cell => formatValue(row[name], kind, window))
  );
  if (plot.kind === "bars") {
    const { name } = plot.value;
    const largest = Math.max(...rows.map((row) => numberOf(row[name])));
    heads.push({ name: "", isNumber: false });
    cells.forEach((line, index) => line.push(blockBar(numberOf(rows[index]![name]), largest)));
  }
  return renderRows(heads, cells, "table", { color, width });
}
