import { outlineLine } from "./_line_outline.ts";
import { RecordBorders } from "./_record_borders.ts";
import type { CsvDialect } from "./scan_csv.ts";

/** How many bytes at the start of a file decide its dialect. */
export const DIALECT_SAMPLE_BYTES = 64 * 1024;

/** Encodings told by a byte order mark; UTF-16 is transcoded before any scan. */
export type CsvEncoding = "utf-8" | "utf-16le" | "utf-16be";

/** Most likely first: it wins when two give the header equally many columns. */
const DELIMITERS = [",", ";", "\t", "|"] as const;

/**
 * Tells the encoding of a file from its byte order mark; without one it is UTF-8.
 *
 * @param start The first bytes of the file, 2 or more where there are as many.
 *
 * @example
 * ```ts
 * import { detectEncoding } from "./detect_dialect.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(detectEncoding(Uint8Array.of(0xff, 0xfe, 0x69, 0x00)), "utf-16le");
 * equal(detectEncoding(new TextEncoder().encode("id,name")), "utf-8");
 * ```
 */
export function detectEncoding(start: Uint8Array): CsvEncoding {
  if (start[0] === 0xff && start[1] === 0xfe) return "utf-16le";
  if (start[0] === 0xfe && start[1] === 0xff) return "utf-16be";
  return "utf-8";
}

/**
 * Finds the delimiter that gives the first record the most columns, and the byte order mark.
 *
 * @param start The first {@linkcode DIALECT_SAMPLE_BYTES} of the file, in UTF-8; more are not read.
 *
 * @example A comma inside quotes does not count
 * ```ts
 * import { detectDialect } from "./detect_dialect.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const start = new TextEncoder().encode('"id, long";name;price\n1;Chair;9,99\n');
 * deepEqual(detectDialect(start), { delimiter: ";", bomBytes: 0 });
 * ```
 */
export function detectDialect(start: Uint8Array): CsvDialect {
  const hasBom = start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf;
  const bomBytes = hasBom ? 3 : 0;
  const sample = start.subarray(bomBytes, DIALECT_SAMPLE_BYTES);
  let best: CsvDialect["delimiter"] = ",";
  let most = 1;
  for (const delimiter of DELIMITERS) {
    const columns = countColumns(sample, delimiter);
    if (columns > most) [best, most] = [delimiter, columns];
  }
  return { delimiter: best, bomBytes };
}

/** Columns of the first record; 0 where this delimiter breaks its quotes. */
function countColumns(sample: Uint8Array, delimiter: CsvDialect["delimiter"]): number {
  const borders = new RecordBorders({
    delimiter,
    maxRecordBytes: sample.length,
    byteStart: 0,
    firstLine: 1,
  });
  borders.load(sample, true);
  while (borders.advance()) {
    if (borders.byteEnd === borders.byteStart) continue;
    if (borders.fault !== undefined) return 0;
    const record = sample.subarray(borders.byteStart, borders.byteEnd);
    return outlineLine(record, delimiter.charCodeAt(0)).columns;
  }
  return 0;
}
