import type { Buffer } from "node:buffer";
import { hashText } from "./content_hash.ts";
import { DistinctValues } from "./distinct_values.ts";
import { Float64List, Int32List } from "./number_list.ts";

/** Small numbers in place of values: to group by them takes a fraction of the time that texts take. */
export interface Codes<Value> {
  /** By row, from 0. */
  readonly codeOf: Int32Array;
  /** The values, by their code: each once. Others share them, so that there are some that no row has. */
  readonly values: readonly Value[];
}

/** Canonical values of one column, by record: text that PostgreSQL casts as it is. */
export interface ColumnValues {
  /** The value of a record. */
  at(row: number): string | null;
  /** Those of all records. */
  toArray(): (string | null)[];
  /** Numbers for them, which are faster to group by. */
  codes(): Codes<string | null>;
  push(value: string | null): void;
  /** Forgets all but the first ones. */
  truncate(rows: number): void;
  /** Gives their memory back. The column is not to be used again. */
  free(): void;
}

/** A column of which many records have the same value: each is kept once. */
export class CodedColumn implements ColumnValues {
  readonly #distinct: DistinctValues;
  readonly #codeOf: Int32List;

  /**
   * @param capacity So many records are likely.
   * @param distinct Where the values are kept, which others may share.
   */
  constructor(capacity: number, distinct = new DistinctValues()) {
    this.#distinct = distinct;
    this.#codeOf = new Int32List(capacity);
  }

  at(row: number): string | null {
    return this.valueOf(this.#codeOf.at(row));
  }

  toArray(): (string | null)[] {
    return Array.from(this.#codeOf, (code) => this.valueOf(code));
  }

  codes(): Codes<string | null> {
    return { codeOf: this.#codeOf.items(), values: this.#distinct.values };
  }

  push(value: string | null): void {
    this.#codeOf.push(this.#distinct.toCode(value));
  }

  /** @param code Of one of the values that are kept. */
  pushCode(code: number): void {
    this.#codeOf.push(code);
  }

  valueOf(code: number): string | null {
    return this.#distinct.values[code]!;
  }

  truncate(rows: number): void {
    this.#codeOf.truncate(rows);
  }

  free(): void {
    this.#codeOf.free();
  }
}

/** Says of a place that the value is null; those below stand for values kept apart. */
const NULL_PLACE = -1;

/** A column of which each record has its own value, so that most are only remembered by where they stand in the chunk. */
export class PlacedColumn implements ColumnValues {
  /** Those of the chunk, which must stay as they are. */
  readonly bytes: Buffer;
  readonly #places: Int32List;
  readonly #ends: Int32List;
  readonly #apart: string[] = [];

  /**
   * @param bytes The chunk.
   * @param capacity So many records are likely.
   */
  constructor(bytes: Buffer, capacity: number) {
    this.bytes = bytes;
    this.#places = new Int32List(capacity);
    this.#ends = new Int32List(capacity);
  }

  at(row: number): string | null {
    const place = this.#places.at(row);
    if (place >= 0) return this.bytes.toString("latin1", place, this.#ends.at(row));
    return place === NULL_PLACE ? null : this.#apart[NULL_PLACE - 1 - place]!;
  }

  /** Where the value begins in the bytes of the chunk, all of it ASCII; negative when it is not there. */
  startOf(row: number): number {
    return this.#places.at(row);
  }

  /** And where it ends. */
  endOf(row: number): number {
    return this.#ends.at(row);
  }

  toArray(): (string | null)[] {
    return Array.from(this.#places, (_, row) => this.at(row));
  }

  codes(): Codes<string | null> {
    const column = new CodedColumn(this.#places.length);
    for (let row = 0; row < this.#places.length; row++) column.push(this.at(row));
    return column.codes();
  }

  push(value: string | null): void {
    this.#places.push(value === null ? NULL_PLACE : NULL_PLACE - this.#apart.push(value));
    this.#ends.push(0);
  }

  /** Adds the value that these bytes of the chunk say; they are ASCII. */
  pushPlace(from: number, to: number): void {
    this.#places.push(from);
    this.#ends.push(to);
  }

  truncate(rows: number): void {
    this.#places.truncate(rows);
    this.#ends.truncate(rows);
  }

  free(): void {
    this.#places.free();
    this.#ends.free();
  }
}

/** Signed 64-bit numbers, by record. */
export class ContentHashes {
  readonly #highs: Int32List;
  readonly #lows: Int32List;

  /** @param capacity So many records are likely. */
  constructor(capacity: number) {
    this.#highs = new Int32List(capacity);
    this.#lows = new Int32List(capacity);
  }

  /** As decimal text. */
  at(row: number): string {
    return hashText(this.#highs.at(row), this.#lows.at(row));
  }

  high(row: number): number {
    return this.#highs.at(row);
  }

  low(row: number): number {
    return this.#lows.at(row);
  }

  push(high: number, low: number): void {
    this.#highs.push(high);
    this.#lows.push(low);
  }

  free(): void {
    this.#highs.free();
    this.#lows.free();
  }
}

/** Valid records of a chunk, as parallel arrays; disposing them gives back the memory of all but their texts. */
export class AcceptedRecords implements Disposable {
  readonly lines: Float64List;
  /** Absolute offsets in the file. */
  readonly byteStarts: Float64List;
  /** Without the line end. */
  readonly byteLengths: Float64List;
  /** Epoch microseconds. */
  readonly eventMicros: Float64List;
  readonly contentHashes: ContentHashes;
  /** JSON text of the columns that the contract does not know, by row; most files have none. */
  readonly extras = new Map<number, string>();
  /** Values by column of the contract; a batch without columns has no records. */
  readonly columns: readonly ColumnValues[];

  /**
   * @param columns Empty columns.
   * @param capacity So many records are likely.
   */
  constructor(columns: readonly ColumnValues[] = [], capacity = 0) {
    this.columns = columns;
    this.lines = new Float64List(capacity);
    this.byteStarts = new Float64List(capacity);
    this.byteLengths = new Float64List(capacity);
    this.eventMicros = new Float64List(capacity);
    this.contentHashes = new ContentHashes(capacity);
  }

  /** Adds a record. */
  push(record: AcceptedRecord, values: readonly (string | null)[]): void {
    if (record.extras !== null) this.extras.set(this.lines.length, record.extras);
    this.lines.push(record.line);
    this.byteStarts.push(record.byteStart);
    this.byteLengths.push(record.byteLength);
    this.eventMicros.push(record.eventMicros);
    this.contentHashes.push(record.hashHigh, record.hashLow);
    this.columns.forEach((column, index) => column.push(values[index]!));
  }

  [Symbol.dispose](): void {
    const { lines, byteStarts, byteLengths, eventMicros, contentHashes, columns } = this;
    const lists = [lines, byteStarts, byteLengths, eventMicros, contentHashes, ...columns];
    for (const list of lists) list.free();
  }

  /** Adds a record of other bytes, under its place in the file. */
  pushFrom(
    other: AcceptedRecords,
    row: number,
    place: { byteStart: number; byteLength: number },
  ): void {
    const record = {
      line: other.lines.at(row),
      eventMicros: other.eventMicros.at(row),
      hashHigh: other.contentHashes.high(row),
      hashLow: other.contentHashes.low(row),
      extras: other.extras.get(row) ?? null,
    };
    this.push({ ...record, ...place }, other.columns.map((column) => column.at(row)));
  }
}

/** One of them, but for its values. */
interface AcceptedRecord {
  line: number;
  byteStart: number;
  byteLength: number;
  eventMicros: number;
  hashHigh: number;
  hashLow: number;
  extras: string | null;
}
