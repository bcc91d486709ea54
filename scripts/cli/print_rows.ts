import Table from "cli-table3";
import { Option } from "commander";
import { stringify } from "csv-stringify/sync";
import { printable } from "./printable.ts";

const FORMATS = ["table", "json", "csv"] as const;

/** How a command prints data. */
export type Format = typeof FORMATS[number];

/** A value as it is printed. */
export type Cell = string | number | boolean | null | object;

/** A column of what is printed. */
export interface Column {
  readonly name: string;
  /** Right-aligned in tables; its cells may be numbers, or text with more digits than those have. */
  readonly isNumber?: boolean;
  /** In tables text longer than this is wrapped between words. */
  readonly maxWidth?: number;
}

/** The option `--format` of all commands that print data. */
export function formatOption(): Option {
  return new Option(
    "--format <format>",
    "how data is printed on stdout; json is exact, csv puts ' before text that begins like a formula (= + - @)",
  ).choices(FORMATS).default("table");
}

/** Prints rows on stdout: a table for people, or JSON (one array) or CSV for programs. */
export function printRows(columns: readonly Column[], rows: readonly Cell[][], format: Format) {
  const isTerminal = Deno.stdout.isTerminal();
  console.log(renderRows(columns, rows, format, {
    color: isTerminal && !Deno.noColor,
    width: isTerminal ? Deno.consoleSize().columns : Infinity,
  }));
}

/** The same as text; a table wider than `width` characters gets its widest column wrapped. */
export function renderRows(
  columns: readonly Column[],
  rows: readonly Cell[][],
  format: Format,
  { color = false, width = Infinity }: { color?: boolean; width?: number } = {},
): string {
  if (format === "json") return renderJson(columns, rows);
  if (format === "csv") return renderCsv(columns, rows);
  const cells = rows.map((row) => row.map((cell, index) => showCell(cell, columns[index])));
  const table = new Table({
    head: columns.map(({ name }) => name),
    colAligns: columns.map(({ isNumber }) => isNumber ? "right" : "left"),
    colWidths: fitWidths(columns, cells, width),
    wordWrap: true,
    wrapOnWordBoundary: true,
    style: { compact: true, head: color ? ["cyan"] : [], border: color ? ["gray"] : [] },
  });
  table.push(...cells);
  return table.toString();
}

/** Null is the natural width: of all but those with a maximum, and the widest if that makes the table fit. */
function fitWidths(
  columns: readonly Column[],
  rows: readonly string[][],
  width: number,
): (number | null)[] {
  const natural = columns.map(({ name, maxWidth = Infinity }, index) => {
    const lengths = rows.map((row) => longestLine(row[index] ?? ""));
    return 2 + Math.min(maxWidth, Math.max(name.length, ...lengths));
  });
  const total = natural.reduce((sum, one) => sum + one + 1, 1);
  const widest = natural.indexOf(Math.max(...natural));
  const fitting = (natural[widest] ?? 0) - (total - width);
  return natural.map((one, index) => {
    if (total > width && index === widest && fitting >= NARROWEST) return fitting;
    return columns[index]?.maxWidth === undefined ? null : one;
  });
}

/** Narrower than this, wrapped text is harder to read than a line that is too long. */
const NARROWEST = 24;

function longestLine(text: string): number {
  return Math.max(...text.split("\n").map((line) => Array.from(line).length));
}

function renderJson(columns: readonly Column[], rows: readonly Cell[][]): string {
  const lines = rows.map((row) =>
    columns.map((column, index) =>
      `${JSON.stringify(column.name)}: ${jsonValue(row[index]!, column)}`
    ).join(", ")
  );
  return lines.length === 0 ? "[]" : `[\n${lines.map((line) => `  {${line}}`).join(",\n")}\n]`;
}

/** A number that came as text keeps all its digits. */
function jsonValue(cell: Cell, { isNumber }: Column): string {
  return isNumber && typeof cell === "string" && JSON_NUMBER.test(cell)
    ? cell
    : JSON.stringify(cell);
}

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?$/i;

/**
 * Text that a spreadsheet would run as a formula, because it begins with `=`, `+`, `-`, `@`, a tab or a carriage return,
 * gets a `'` before it, as OWASP advises: cells come from strangers, and CSV is opened in spreadsheets. JSON is exact.
 */
function renderCsv(columns: readonly Column[], rows: readonly Cell[][]): string {
  const text = (cell: Cell) => typeof cell === "object" && cell !== null ? plain(cell) : cell;
  const records = [columns.map(({ name }) => name), ...rows.map((row) => row.map(text))];
  const cast = {
    boolean: String,
    // A number that came as text, and is no formula: -5.00.
    string: (value: string, { index }: { index: number }) =>
      columns[index]?.isNumber ? { value, escape_formulas: false } : value,
  };
  return stringify(records, { cast, escape_formulas: true }).trimEnd();
}

function showCell(cell: Cell, column: Column | undefined): string {
  if (cell === null) return "";
  if (typeof cell === "number" && column?.isNumber) return cell.toLocaleString("en-US");
  return printable(plain(cell));
}

function plain(cell: Exclude<Cell, null>): string {
  return typeof cell === "object" ? JSON.stringify(cell) : String(cell);
}
