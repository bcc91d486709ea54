import { HEX_DIGIT } from "./hex_digits.ts";

/** Signature, flags and length of an extension: https://www.postgresql.org/docs/current/sql-copy.html */
const HEADER = Uint8Array.from([..."PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"], (c) => c.charCodeAt(0));
const PIECE_BYTES = 256 * 1024;
const FIRST_CELL_BYTES = 4096;
/** In place of a length. */
const NULL_LENGTH = -1;
/** In place of a row's number of columns. */
const END_OF_ROWS = -1;
const LENGTH_BYTES = 4;
/** Cells are copied four bytes at a time: so many may be touched behind one. */
const COPY_SLACK = 3;
const UUID_BYTES = 16;
/** PostgreSQL counts from 2000-01-01. */
const EPOCH_MICROS = 946_684_800_000_000;
const TWO_32 = 0x1_0000_0000;
/** Digits of a numeric are those to this base. */
const NUMERIC_BASE = 10_000;

/** Writes values as COPY's binary format has them, each with its length in front: the server need not parse a text. */
abstract class BinaryValues {
  protected bytes: Uint8Array<ArrayBuffer>;
  protected view: DataView<ArrayBuffer>;
  protected used = 0;

  /** @param memory To begin with. */
  constructor(memory: Uint8Array<ArrayBuffer>) {
    this.bytes = memory;
    this.view = new DataView(memory.buffer);
  }

  putNull(): void {
    this.putLength(NULL_LENGTH, 0);
  }

  putInteger(value: number): void {
    // The server refuses a value of another length, and would take one that has wrapped around.
    if ((value | 0) !== value) return this.putBigint(value);
    this.putLength(4, 4);
    this.view.setInt32(this.used, value);
    this.used += 4;
  }

  /** @param value A safe integer. */
  putBigint(value: number): void {
    const high = Math.floor(value / TWO_32);
    this.putHalves(high, value - high * TWO_32);
  }

  /** Puts a bigint, given its upper and its lower 32 bits. */
  putHalves(high: number, low: number): void {
    this.putLength(8, 8);
    this.view.setInt32(this.used, high);
    this.view.setInt32(this.used + 4, low);
    this.used += 8;
  }

  /** @param micros Microseconds since 1970. */
  putTimestamp(micros: number): void {
    this.putBigint(micros - EPOCH_MICROS);
  }

  /** Puts a numeric with two decimals. @param hundredths From 0, a safe integer. */
  putHundredths(hundredths: number): void {
    let whole = Math.floor(hundredths / 100);
    let digits = 1;
    for (let above = whole; above >= NUMERIC_BASE; digits++) {
      above = Math.floor(above / NUMERIC_BASE);
    }
    const length = 8 + 2 * (digits + 1);
    this.putLength(length, length);
    const { view, used } = this;
    // Number of digits, weight of the first, sign, decimals.
    view.setInt16(used, digits + 1);
    view.setInt16(used + 2, digits - 1);
    view.setInt16(used + 4, 0);
    view.setInt16(used + 6, 2);
    view.setInt16(used + length - 2, hundredths % 100 * 100);
    for (let at = used + length - 4; at > used + 6; at -= 2) {
      view.setInt16(at, whole % NUMERIC_BASE);
      whole = Math.floor(whole / NUMERIC_BASE);
    }
    this.used += length;
  }

  /** Puts a UUID, given as ASCII in lower case from a position on. */
  putUuid(ascii: Uint8Array, from: number): void {
    this.putLength(UUID_BYTES, UUID_BYTES);
    const { bytes, used } = this;
    for (let index = 0; index < UUID_BYTES; index++) {
      const pair = from + PAIRS[index]!;
      bytes[used + index] = HEX_DIGIT[ascii[pair]!]! << 4 | HEX_DIGIT[ascii[pair + 1]!]!;
    }
    this.used += UUID_BYTES;
  }

  /** Puts a text, given as ASCII between two positions. */
  putAscii(ascii: Uint8Array, from: number, to: number): void {
    this.putLength(to - from, to - from);
    const { bytes, used } = this;
    for (let index = from; index < to; index++) bytes[used + index - from] = ascii[index]!;
    this.used += to - from;
  }

  putText(text: string): void {
    const { length } = text;
    this.putLength(length, length);
    const { bytes, used } = this;
    let seen = 0;
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      bytes[used + index] = unit;
      seen |= unit;
    }
    if (seen < 0x80) {
      this.used += length;
      return;
    }
    const encoded = utf8.encode(text);
    this.used -= LENGTH_BYTES;
    this.putLength(encoded.length, encoded.length);
    this.bytes.set(encoded, this.used);
    this.used += encoded.length;
  }

  /** Puts what was made before. */
  putCell(cells: BinaryCells, cell: number): void {
    this.makeRoom(cells.lengthOf(cell) + COPY_SLACK);
    this.used += cells.copyTo(this.view, this.used, cell);
  }

  /** Puts the length of a value, and makes room for its bytes. */
  protected putLength(length: number, bytes: number): void {
    this.makeRoom(LENGTH_BYTES + bytes);
    this.view.setInt32(this.used, length);
    this.used += LENGTH_BYTES;
  }

  /** Sees to it that so many bytes more can be written. */
  protected makeRoom(bytes: number): void {
    if (this.used + bytes > this.bytes.length) this.turn(bytes);
  }

  /** Goes on with other memory, in which so many bytes more have room. */
  protected abstract turn(bytes: number): void;

  protected goOn(memory: Uint8Array<ArrayBuffer>, used: number): void {
    this.bytes = memory;
    this.view = new DataView(memory.buffer);
    this.used = used;
  }
}

/** Values made once for all rows that have them, or several of them in one; each is told by its number, from 0. */
export class BinaryCells extends BinaryValues {
  readonly #ends: number[] = [];

  constructor() {
    super(new Uint8Array(FIRST_CELL_BYTES));
  }

  /** How many bytes were put. */
  get byteLength(): number {
    return this.used;
  }

  /** Ends a value, of which all was put; returns its number. */
  endCell(): number {
    this.makeRoom(COPY_SLACK);
    return this.#ends.push(this.used) - 1;
  }

  /** Copies a value, and up to {@linkcode COPY_SLACK} bytes behind it; returns how many are the value's. */
  copyTo(target: DataView, at: number, cell: number): number {
    const { view } = this;
    const start = this.startOf(cell);
    const length = this.#ends[cell]! - start;
    for (let index = 0; index < length; index += 4) {
      target.setInt32(at + index, view.getInt32(start + index, true), true);
    }
    return length;
  }

  lengthOf(cell: number): number {
    return this.#ends[cell]! - this.startOf(cell);
  }

  private startOf(cell: number): number {
    return cell === 0 ? 0 : this.#ends[cell - 1]!;
  }

  protected override turn(bytes: number): void {
    const memory = new Uint8Array(Math.max(this.bytes.length * 2, this.used + bytes));
    memory.set(this.bytes);
    this.goOn(memory, this.used);
  }
}

/** A column of values that recur. */
export interface CellColumn {
  readonly cells: BinaryCells;
  /** By row the number of its cell. */
  readonly codeOf: Int32Array;
}

/** Rows in COPY's binary format, in pieces of memory. */
export class BinaryRows extends BinaryValues {
  readonly #columns: number;
  readonly #full: Uint8Array[] = [];

  /** @param columns How many values each row has. */
  constructor(columns: number) {
    super(takePiece());
    this.#columns = columns;
    this.bytes.set(HEADER);
    this.used = HEADER.length;
  }

  /** To be called before the values of each row. */
  beginRow(): void {
    this.makeRoom(2);
    this.view.setInt16(this.used, this.#columns);
    this.used += 2;
  }

  /** Puts the values that a record has in some columns. */
  putCells(columns: readonly CellColumn[], row: number): void {
    for (const { cells, codeOf } of columns) this.putCell(cells, codeOf[row]!);
  }

  /** Ends the rows, which are cut anywhere. */
  end(): Uint8Array[] {
    this.makeRoom(2);
    this.view.setInt16(this.used, END_OF_ROWS);
    this.#full.push(this.bytes.subarray(0, this.used + 2));
    return this.#full;
  }

  protected override turn(bytes: number): void {
    this.#full.push(this.bytes.subarray(0, this.used));
    this.goOn(bytes > PIECE_BYTES ? new Uint8Array(bytes) : takePiece(), 0);
  }
}

/** Memory of pieces that were sent: otherwise it would wait for V8 to find out that nobody needs it. */
const sent: Uint8Array<ArrayBuffer>[] = [];
/** What a few loads at once need. */
const MAX_SENT = 64;

function takePiece(): Uint8Array<ArrayBuffer> {
  return sent.pop() ?? new Uint8Array(PIECE_BYTES);
}

/** Takes back the memory of rows that nobody will read any more. */
export function releaseRows(pieces: readonly Uint8Array[]): void {
  for (const { buffer } of pieces) {
    if (buffer.byteLength === PIECE_BYTES && sent.length < MAX_SENT) {
      sent.push(new Uint8Array(buffer as ArrayBuffer));
    }
  }
}

const utf8 = new TextEncoder();

/** Where the two digits of each byte begin in the text of a UUID. */
const PAIRS = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34);
