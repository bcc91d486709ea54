import { FieldReader } from "./_field_reader.ts";
import { RecordBorders } from "./_record_borders.ts";
import { RecordStream } from "./_record_stream.ts";

/** What is wrong with a record as CSV, whatever the contract says. */
export type CsvFault =
  | "broken_quote"
  | "record_too_long"
  | "too_many_columns"
  | "invalid_utf8"
  | "nul_byte";

/** How a file is written, as found by `detectDialect`. */
export interface CsvDialect {
  delimiter: "," | ";" | "\t" | "|";
  /** Bytes of byte order mark at the start of the file: 0 or 3. */
  bomBytes: number;
}

/** One record, and exactly where it stands. */
export interface CsvRecord {
  /** First physical line; the first line of the file is 1. */
  line: number;
  /** Absolute offset in the (expanded, UTF-8) file. */
  byteStart: number;
  /** Absolute, exclusive, without the line end. */
  byteEnd: number;
  /** Decoded values; empty when the record is at fault. */
  fields: string[];
  fault?: CsvFault;
}

/** Bounds that keep memory constant whatever a file holds. */
export interface CsvLimits {
  /** Longest record in bytes, without its line end. */
  maxRecordBytes: number;
  maxColumns: number;
}

/** The bounds of every feed: 1 MiB and 1,000 columns a record. */
export const CSV_LIMITS: Readonly<CsvLimits> = { maxRecordBytes: 1024 * 1024, maxColumns: 1000 };

/** Where a scan begins, and under which rules. */
export interface ScanOptions {
  dialect: CsvDialect;
  /** Physical line number at the first byte; 1 by default. */
  firstLine?: number;
  /** Absolute offset of the first byte; 0 by default. A scan from 0 skips the byte order mark. */
  byteStart?: number;
  /** {@linkcode CSV_LIMITS} by default. */
  limits?: CsvLimits;
}

/**
 * Reads the records of bytes held in memory, such as one chunk of a plan. A record at fault comes
 * without fields and costs only itself; blank lines are counted, and are not records. Values may
 * share memory with the text of their record.
 *
 * @param bytes Whole records, at most 512 MiB; what follows the last line end is a record too.
 * @returns The records one by one: holding on to a whole chunk's at once costs twice the time.
 *
 * @example Records with their place in the file
 * ```ts
 * import { scanCsv } from "./scan_csv.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const bytes = new TextEncoder().encode('id,name\n1,"Chair, red"\n2,"Desk\n3,Lamp');
 * const records = scanCsv(bytes, { dialect: { delimiter: ",", bomBytes: 0 } });
 * deepEqual([...records], [
 *   { line: 1, byteStart: 0, byteEnd: 7, fields: ["id", "name"] },
 *   { line: 2, byteStart: 8, byteEnd: 22, fields: ["1", "Chair, red"] },
 *   { line: 3, byteStart: 23, byteEnd: 30, fields: [], fault: "broken_quote" },
 *   { line: 4, byteStart: 31, byteEnd: 37, fields: ["3", "Lamp"] },
 * ]);
 * ```
 */
export function* scanCsv(
  bytes: Uint8Array,
  options: ScanOptions,
): Generator<CsvRecord, void, void> {
  const { borders, reader } = openBytes(bytes, options);
  while (borders.advance()) {
    if (borders.byteEnd > borders.byteStart) yield reader.toRecord(borders);
  }
}

/**
 * The two halves of {@linkcode scanCsv}, for who does not want the fields of each record: what finds them, and what reads
 * the one found last.
 *
 * @param bytes As there.
 */
export function openBytes(
  bytes: Uint8Array,
  { dialect, firstLine = 1, byteStart = 0, limits = CSV_LIMITS }: ScanOptions,
): { borders: RecordBorders; reader: FieldReader } {
  const bomBytes = byteStart === 0 ? dialect.bomBytes : 0;
  const borders = new RecordBorders({
    delimiter: dialect.delimiter,
    maxRecordBytes: limits.maxRecordBytes,
    byteStart: byteStart + bomBytes,
    firstLine,
  });
  const reader = new FieldReader(dialect.delimiter, limits.maxColumns);
  borders.load(bytes.subarray(bomBytes), true);
  reader.load(borders);
  return { borders, reader };
}

/**
 * Reads records from blocks of any size, with the same result however the input is cut. Memory
 * stays constant: one record of the greatest length and one window.
 *
 * @example A record that comes in two blocks
 * ```ts
 * import { type CsvRecord, CsvScanner } from "./scan_csv.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const records: CsvRecord[] = [];
 * const dialect = { delimiter: ";", bomBytes: 0 } as const;
 * const scanner = new CsvScanner({ dialect }, (record) => records.push(record));
 * scanner.push(new TextEncoder().encode('1;"Cha'));
 * scanner.push(new TextEncoder().encode('ir"\r\n'));
 * scanner.end();
 * deepEqual(records, [{ line: 1, byteStart: 0, byteEnd: 9, fields: ["1", "Chair"] }]);
 * ```
 */
export class CsvScanner {
  readonly #stream: RecordStream;

  /** @param onRecord Called for each record, in order, during `push` and `end`. */
  constructor(options: ScanOptions & { windowBytes?: number }, onRecord: (r: CsvRecord) => void) {
    const { maxColumns } = options.limits ?? CSV_LIMITS;
    const reader = new FieldReader(options.dialect.delimiter, maxColumns);
    this.#stream = new RecordStream(options, {
      onWindow: (borders) => reader.load(borders),
      onLine: (borders) => {
        if (borders.byteEnd > borders.byteStart) onRecord(reader.toRecord(borders));
      },
    });
  }

  /** Takes the next block, which the caller may overwrite afterwards. */
  push(block: Uint8Array): void {
    this.#stream.push(block);
  }

  /** Says that the input ends here. */
  end(): void {
    this.#stream.end();
  }
}
