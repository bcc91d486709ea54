import { Buffer } from "node:buffer";
import { outlineLine } from "./_line_outline.ts";
import { CSV_LIMITS, type CsvDialect, type CsvRecord, scanCsv } from "./scan_csv.ts";
import type { ScanOptions } from "./scan_csv.ts";

/**
 * Reads a record that spans lines once more, with the quote that made it span taken as an ordinary
 * character: a stray quote, as in `5" screen`, can swallow whole records up to the next quote. The
 * first piece is the first physical line; what follows is scanned as usual, within these bytes.
 * Not meant for its own pieces: that would be quadratic.
 *
 * @param bytes The bytes of the record, and only these.
 * @param options Those of the record: `firstLine` is its line, `byteStart` its offset.
 * @returns The pieces, or nothing when no quoted field spans lines.
 *
 * @example
 * ```ts
 * import { rescanLiteral } from "./rescan_literal.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const bytes = new TextEncoder().encode('1,"5 inch,9\n2,Desk",7');
 * const dialect = { delimiter: ",", bomBytes: 0 } as const;
 * deepEqual(rescanLiteral(bytes, { dialect, firstLine: 8, byteStart: 100 }), [
 *   { line: 8, byteStart: 100, byteEnd: 111, fields: ["1", '"5 inch', "9"] },
 *   { line: 9, byteStart: 112, byteEnd: 121, fields: ["2", 'Desk"', "7"] },
 * ]);
 * ```
 */
export function rescanLiteral(
  bytes: Uint8Array,
  { dialect, firstLine = 1, byteStart = 0, limits = CSV_LIMITS }: ScanOptions,
): CsvRecord[] {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const lineEnd = raw.search(/[\r\n]/);
  if (lineEnd < 0) return [];
  const { openQuote } = outlineLine(bytes.subarray(0, lineEnd), dialect.delimiter.charCodeAt(0));
  if (openQuote < 0) return [];

  const quoted = quoteField(raw.slice(0, lineEnd), openQuote, dialect.delimiter);
  const scan = { dialect: { ...dialect, bomBytes: 0 }, firstLine };
  const [first] = scanCsv(quoted, {
    ...scan,
    limits: { ...limits, maxRecordBytes: quoted.length },
  });
  const next = raw.startsWith("\r\n", lineEnd) ? lineEnd + 2 : lineEnd + 1;
  const rest = scanCsv(bytes.subarray(next), {
    ...scan,
    firstLine: firstLine + 1,
    byteStart: byteStart + next,
    limits,
  });
  return [{ ...first!, byteStart, byteEnd: byteStart + lineEnd }, ...rest];
}

/** Quotes the field that begins at `start`, so that its own quotes are read as characters. */
function quoteField(line: string, start: number, delimiter: CsvDialect["delimiter"]): Uint8Array {
  const found = line.indexOf(delimiter, start);
  const end = found < 0 ? line.length : found;
  const field = `"${line.slice(start, end).replaceAll('"', '""')}"`;
  return Buffer.from(line.slice(0, start) + field + line.slice(end), "latin1");
}
