import { Buffer } from "node:buffer";
import type { Contract } from "../../domain/contract.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import type { CsvDialect } from "../../domain/scan_csv.ts";

/** The bytes that a batch was read from. */
export interface ChunkText {
  bytes: Uint8Array;
  /** Offset of the first byte in the file. */
  byteStart: number;
  delimiter: CsvDialect["delimiter"];
  /** Per field of a record the index of its column in the contract; null when some have none or are absent. */
  fieldColumns: readonly number[] | null;
}

/** The `copy` for {@linkcode eventRows}. */
export function copyEvents(
  { columns }: Contract,
  { delimiter, fieldColumns }: Pick<ChunkText, "delimiter" | "fieldColumns">,
): string {
  const names = (list: typeof columns) => list.map(({ name }) => name).join(", ");
  const fields = fieldColumns?.map((column) => columns[column]!) ?? columns;
  const texts = columns.filter(({ postgresType }) => postgresType === "text");
  const nullable = columns.filter((column) => column.nullable);
  return `copy shop.events (file_id, line_number, extras, ${names(fields)}) from stdin (
    format csv, delimiter '${delimiter}',
    force_not_null (${names(texts)}), force_null (${names(nullable)}))`;
}

/**
 * Rows of `shop.events` in COPY's CSV format. A record whose bytes say its canonical values already is sent as it
 * stands in the file; only of the others a row is written.
 *
 * @param chunk The file, its contract, the bytes of the chunk, and the batch read from them, of which all records go.
 * @returns The rows, cut anywhere.
 */
export function eventRows(
  { fileId, contract, text: { bytes, byteStart, delimiter, fieldColumns }, batch: { accepted } }: {
    fileId: number;
    contract: Contract;
    text: ChunkText;
    batch: Pick<ChunkBatch, "accepted">;
  },
): Uint8Array[] {
  const { lines, byteStarts, byteLengths, extras, columns, verbatim } = accepted;
  const order = fieldColumns ?? contract.columns.map((_, index) => index);
  const start = Buffer.from(`${fileId}${delimiter}`);
  const between = Buffer.from(delimiter.repeat(2));
  const rows = new RowWriter();
  for (let row = 0; row < lines.length; row++) {
    rows.put(start);
    rows.putWhole(lines[row]!);
    if (verbatim[row]) {
      const from = byteStarts[row]! - byteStart;
      rows.put(between);
      rows.put(bytes.subarray(from, from + byteLengths[row]!));
    } else {
      const extra = extras[row];
      let text = delimiter + (extra == null ? "" : quoted(extra));
      for (const column of order) {
        const value = columns[column]![row]!;
        text += delimiter + (value === null ? "" : quoted(value));
      }
      rows.put(utf8.encode(text));
    }
    rows.put(LINE_END);
  }
  return rows.end();
}

const utf8 = new TextEncoder();
const LINE_END = Buffer.from("\n");

function quoted(value: string): string {
  return `"${value.replaceAll('"', '""')}"`;
}

const PIECE_BYTES = 256 * 1024;
const DIGIT_0 = 48;

/** Fills pieces of memory one after the other. */
class RowWriter {
  readonly #full: Uint8Array[] = [];
  #piece = new Uint8Array(PIECE_BYTES);
  #used = 0;

  put(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    this.#piece.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** A whole number from 0, in decimal digits. */
  putWhole(value: number): void {
    let digits = 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
    this.#makeRoom(digits);
    for (let at = this.#used + digits - 1, rest = value; at >= this.#used; at--) {
      this.#piece[at] = DIGIT_0 + rest % 10;
      rest = Math.floor(rest / 10);
    }
    this.#used += digits;
  }

  end(): Uint8Array[] {
    this.#full.push(this.#piece.subarray(0, this.#used));
    return this.#full;
  }

  #makeRoom(bytes: number): void {
    if (this.#used + bytes <= this.#piece.length) return;
    this.#full.push(this.#piece.subarray(0, this.#used));
    this.#piece = new Uint8Array(Math.max(PIECE_BYTES, bytes));
    this.#used = 0;
  }
}
