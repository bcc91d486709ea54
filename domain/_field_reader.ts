import { Buffer, isUtf8 } from "node:buffer";
import type { RecordBorders } from "./_record_borders.ts";
import type { CsvDialect, CsvRecord } from "./scan_csv.ts";

const QUOTE = 0x22;

/**
 * Cuts well-formed records into decoded fields. ASCII fields are slices of the window as one
 * character a byte; only the others are decoded, and UTF-8 is checked for the whole window at once.
 */
export class FieldReader {
  readonly #delimiter: number;
  readonly #maxColumns: number;
  #bytes: Buffer = Buffer.alloc(0);
  #raw = "";
  #isUtf8 = true;
  /** Position of the first NUL at or after the record read last. */
  #nul = -1;

  constructor(delimiter: CsvDialect["delimiter"], maxColumns: number) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#maxColumns = maxColumns;
  }

  /** Takes over a window: its bytes, and the same as one character a byte. */
  load(bytes: Uint8Array, raw: string): void {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#raw = raw;
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
    if (this.#nul < from) {
      const nul = this.#raw.indexOf("\0", from);
      this.#nul = nul < 0 ? this.#raw.length : nul;
    }
    if (this.#nul < to) return "nul_byte";
    if (!this.#isUtf8 && !isUtf8(this.#bytes.subarray(from, to))) return "invalid_utf8";
    return undefined;
  }

  /** The fields, or undefined when there are too many. */
  #split(from: number, to: number): string[] | undefined {
    const bytes = this.#bytes;
    const delimiter = this.#delimiter;
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
        const value = this.#decode(at + 1, i, seen);
        fields.push(escaped ? value.replaceAll('""', '"') : value);
        i++;
      } else {
        for (; i < to; i++) {
          const byte = bytes[i]!;
          if (byte === delimiter) break;
          seen |= byte;
        }
        fields.push(this.#decode(at, i, seen));
      }
      if (i >= to) return fields;
      at = i + 1;
    }
  }

  /** @param seen All bytes of the field, or-ed: ASCII leaves the highest bit unset. */
  #decode(from: number, to: number, seen: number): string {
    return seen < 0x80 ? this.#raw.substring(from, to) : this.#bytes.toString("utf8", from, to);
  }
}
