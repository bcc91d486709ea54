import { Buffer, isUtf8 } from "node:buffer";
import { ByteSearch } from "./_byte_search.ts";
import type { RecordBorders } from "./_record_borders.ts";
import type { CsvDialect, CsvRecord } from "./scan_csv.ts";

const QUOTE = 0x22;

/**
 * Cuts well-formed records into decoded fields. ASCII fields are slices of the record as one
 * character a byte; only the others are decoded, and UTF-8 is checked for the whole window at once.
 */
export class FieldReader {
  readonly #delimiter: number;
  readonly #maxColumns: number;
  #bytes: Buffer = Buffer.alloc(0);
  #search = new ByteSearch(this.#bytes);
  #isUtf8 = true;
  /** Position of the first NUL at or after the record read last. */
  #nul = -1;

  constructor(delimiter: CsvDialect["delimiter"], maxColumns: number) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#maxColumns = maxColumns;
  }

  /** Takes over a window. */
  load({ bytes, search }: Pick<RecordBorders, "bytes" | "search">): void {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#search = search;
    this.#isUtf8 = isUtf8(bytes);
    this.#nul = -1;
  }

  /** Reads the record that was found last in this window. */
  toRecord(borders: RecordBorders): CsvRecord {
    const { line, byteStart, byteEnd, base } = borders;
    const from = byteStart - base;
    const to = byteEnd - base;
    const read = borders.fault ?? this.textFault(from, to) ?? this.#split(from, to) ??
      "too_many_columns";
    return typeof read === "string"
      ? { line, byteStart, byteEnd, fields: [], fault: read }
      : { line, byteStart, byteEnd, fields: read };
  }

  /** Why the bytes of a record are no text, if so; positions asked for must not descend. */
  textFault(from: number, to: number): "nul_byte" | "invalid_utf8" | undefined {
    if (this.#nul < from) this.#nul = this.#search.find("\0", from);
    if (this.#nul < to) return "nul_byte";
    if (!this.#isUtf8 && !isUtf8(this.#bytes.subarray(from, to))) return "invalid_utf8";
    return undefined;
  }

  /** The fields, or undefined when there are too many. */
  #split(from: number, to: number): string[] | undefined {
    const bytes = this.#bytes;
    const delimiter = this.#delimiter;
    const raw = bytes.toString("latin1", from, to);
    /** @param seen All bytes of the field, or-ed: ASCII leaves the highest bit unset. */
    const decode = (start: number, end: number, seen: number) =>
      seen < 0x80 ? raw.substring(start - from, end - from) : bytes.toString("utf8", start, end);
    const fields: string[] = [];
    let at = from;
    for (;;) {
      if (fields.length === this.#maxColumns) return undefined;
      let i = at;
      let seen = 0;
      if (i < to && bytes[i] === QUOTE) {
        i++;
        let escaped = false;
        for (; i < to; i++) {
          const byte = bytes[i]!;
          seen |= byte;
          if (byte !== QUOTE) continue;
          if (i + 1 === to || bytes[i + 1] !== QUOTE) break;
          escaped = true;
          i++;
        }
        const value = decode(at + 1, i, seen);
        fields.push(escaped ? value.replaceAll('""', '"') : value);
        i++;
      } else {
        for (; i < to; i++) {
          const byte = bytes[i]!;
          if (byte === delimiter) break;
          seen |= byte;
        }
        fields.push(decode(at, i, seen));
      }
      if (i >= to) return fields;
      at = i + 1;
    }
  }
}
