import fc from "fast-check";
import type { CsvLimits, CsvRecord, ScanOptions } from "../../domain/scan_csv.ts";

const [LF, CR, QUOTE] = [0x0a, 0x0d, 0x22];

/** The pieces that matter to a scanner; `é` whole, and halves of characters. */
const PIECES: readonly (readonly number[])[] = [
  ...['"', '""', ",", ";", "\n", "\r", "\r\n", "a", "b ", ',"', '",', '"\n', '\n"', '","', "\0"],
  ...["é", "🪑"],
].map((text) => [...new TextEncoder().encode(text)]).concat([[0xc3], [0xa9], [0xf0, 0x9f]]);

/** Random bytes in which almost nothing is well-formed. */
export const soup = fc.array(fc.constantFrom(...PIECES), { maxLength: 60, size: "max" })
  .map((pieces) => Uint8Array.from(pieces.flat()));

/** Limits that such short inputs reach. */
export const smallLimits: fc.Arbitrary<CsvLimits> = fc.record({
  maxRecordBytes: fc.integer({ min: 1, max: 40 }),
  maxColumns: fc.integer({ min: 1, max: 5 }),
});

/** Where to cut an input, as sizes of the blocks, taken in turn. */
export const blockSizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

/** Cuts `bytes` into blocks of these sizes. */
export function* cutBlocks(bytes: Uint8Array, sizes: number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    yield bytes.slice(at, at + size);
    at += size;
  }
}

/**
 * The rules of the scanner written down without any thought of speed: every record is searched from
 * its start, byte by byte, with nothing remembered. Small limits only.
 */
export function scanNaively(bytes: Uint8Array, options: ScanOptions): CsvRecord[] {
  const { maxRecordBytes, maxColumns } = options.limits!;
  const delimiter = options.dialect.delimiter.charCodeAt(0);
  const records: CsvRecord[] = [];
  let line = 1;
  for (let at = 0; at < bytes.length;) {
    const firstLineEnd = lineEndFrom(bytes, at);
    const found = walkRecord(bytes, at, delimiter);
    let end = found.end;
    let fault: CsvRecord["fault"];
    if (firstLineEnd - at > maxRecordBytes) [end, fault] = [firstLineEnd, "record_too_long"];
    else if (found.isBroken || end - at > maxRecordBytes) {
      [end, fault] = [firstLineEnd, "broken_quote"];
    }
    const raw = bytes.subarray(at, end);
    if (fault === undefined && raw.includes(0)) fault = "nul_byte";
    if (fault === undefined && !isUtf8(raw)) fault = "invalid_utf8";
    if (fault === undefined && found.fields.length > maxColumns) fault = "too_many_columns";
    const fields = fault === undefined ? found.fields.map(decode) : [];
    const place = { line, byteStart: at, byteEnd: end, fields };
    if (end > at) records.push(fault === undefined ? place : { ...place, fault });
    const next = afterLineEnd(bytes, end);
    while (at < next) [at, line] = [afterLineEnd(bytes, lineEndFrom(bytes, at)), line + 1];
  }
  return records;
}

function walkRecord(bytes: Uint8Array, start: number, delimiter: number) {
  const fields: number[][] = [];
  for (let at = start;;) {
    const field: number[] = [];
    fields.push(field);
    if (bytes[at] === QUOTE) {
      for (at++; at < bytes.length && (bytes[at] !== QUOTE || bytes[at + 1] === QUOTE); at++) {
        field.push(bytes[at]!);
        if (bytes[at] === QUOTE) at++;
      }
      if (at === bytes.length) return { fields, end: at, isBroken: true };
      at++;
    } else {
      while (at < bytes.length && bytes[at] !== delimiter && !isLineEnd(bytes[at])) {
        field.push(bytes[at++]!);
      }
    }
    if (at === bytes.length || isLineEnd(bytes[at])) return { fields, end: at, isBroken: false };
    if (bytes[at++] !== delimiter) return { fields, end: at, isBroken: true };
  }
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === LF || byte === CR;
}

function lineEndFrom(bytes: Uint8Array, from: number): number {
  const found = bytes.subarray(from).findIndex(isLineEnd);
  return found < 0 ? bytes.length : from + found;
}

function afterLineEnd(bytes: Uint8Array, lineEnd: number): number {
  const isCrLf = bytes[lineEnd] === CR && bytes[lineEnd + 1] === LF;
  return Math.min(lineEnd + (isCrLf ? 2 : 1), bytes.length);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function decode(field: number[]): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(field));
}
