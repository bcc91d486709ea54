import { Buffer, isAscii, isUtf8 } from "node:buffer";
import type { RecordBorders } from "./_record_borders.ts";
import type { CsvDialect, CsvFault, CsvRecord } from "./scan_csv.ts";

const QUOTE = 0x22;

/**
 * Cuts well-formed records into decoded fields. Text is decoded once for the whole window where it
 * can be, because a call per record costs more than reading the record.
 */
export class FieldReader {
  readonly #delimiter: number;
  readonly #maxColumns: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #raw = "";
  #nul = -1;

  /** Decoded text, and how many bytes the position in the window is ahead of that in the text. */
  #text = "";
  #shift = 0;
  /** Window position up to which `#shift` counts. */
  #shiftedTo = 0;
  #mode: "ascii" | "utf8" | "by_record" = "ascii";

  constructor(delimiter: CsvDialect["delimiter"], maxColumns: number) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#maxColumns = maxColumns;
  }

  /** Takes over a window: its bytes, and the same as one character a byte. */
  load(bytes: Uint8Array, raw: string): void {
    this.#bytes = bytes;
    this.#raw = raw;
    this.#nul = -1;
    this.#shift = this.#shiftedTo = 0;
    this.#mode = isAscii(bytes) ? "ascii" : isUtf8(bytes) ? "utf8" : "by_record";
    this.#text = this.#mode === "utf8" ? decodeUtf8(bytes) : raw;
  }

  /** Reads the record that was found last in this window. */
  toRecord(borders: RecordBorders): CsvRecord {
    const { line, byteStart, byteEnd, base } = borders;
    const read = borders.fault ?? this.#read(byteStart - base, byteEnd - base);
    return typeof read === "string"
      ? { line, byteStart, byteEnd, fields: [], fault: read }
      : { line, byteStart, byteEnd, fields: read };
  }

  #read(from: number, to: number): string[] | CsvFault {
    if (this.#nul < from) {
      const nul = this.#raw.indexOf("\0", from);
      this.#nul = nul < 0 ? this.#raw.length : nul;
    }
    if (this.#nul < to) return "nul_byte";
    if (this.#mode === "by_record") {
      const record = this.#bytes.subarray(from, to);
      if (!isUtf8(record)) return "invalid_utf8";
      this.#text = decodeUtf8(record);
      this.#shift = from;
    } else if (this.#mode === "utf8") {
      this.#shift += countShift(this.#bytes, this.#shiftedTo, from);
    }
    return this.#split(from, to) ?? "too_many_columns";
  }

  #split(from: number, to: number): string[] | undefined {
    const bytes = this.#bytes;
    const text = this.#text;
    const delimiter = this.#delimiter;
    const fields: string[] = [];
    let shift = this.#shift;
    let at = from;
    for (;;) {
      if (fields.length === this.#maxColumns) {
        this.#shift = shift;
        this.#shiftedTo = at;
        return undefined;
      }
      let i = at;
      if (i < to && bytes[i] === QUOTE) {
        i++;
        const start = i - shift;
        let escaped = false;
        for (; i < to; i++) {
          const byte = bytes[i]!;
          if (byte > 0x7f) shift += shiftOf(byte);
          else if (byte === QUOTE) {
            if (i + 1 >= to || bytes[i + 1] !== QUOTE) break;
            escaped = true;
            i++;
          }
        }
        const value = text.substring(start, i - shift);
        fields.push(escaped ? value.replaceAll('""', '"') : value);
        i++;
      } else {
        const start = i - shift;
        for (; i < to; i++) {
          const byte = bytes[i]!;
          if (byte === delimiter) break;
          if (byte > 0x7f) shift += shiftOf(byte);
        }
        fields.push(text.substring(start, i - shift));
      }
      if (i >= to) break;
      at = i + 1;
    }
    this.#shift = shift;
    this.#shiftedTo = to;
    return fields;
  }
}

/** Strict decoding; the caller has made sure that the bytes are UTF-8. */
function decodeUtf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}

/** Bytes minus UTF-16 units, summed: a continuation byte adds none, a lead of four adds two. */
function shiftOf(byte: number): number {
  return byte < 0xc0 ? 1 : byte >= 0xf0 ? -1 : 0;
}

function countShift(bytes: Uint8Array, from: number, to: number): number {
  let shift = 0;
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    if (byte > 0x7f) shift += shiftOf(byte);
  }
  return shift;
}
