import { type ByteTable, NOT_THERE } from "./_byte_table.ts";
import { AcceptedRecords, CodedColumn, PlacedColumn } from "./accepted_records.ts";
import { ChunkText, ESCAPED } from "./_chunk_text.ts";
import { ContentHasher } from "./content_hash.ts";
import type { ColumnKind, Contract, RecordRule } from "./contract.ts";
import type { FieldReader } from "./_field_reader.ts";
import { knownFieldsOf } from "./_known_fields.ts";
import type { HeaderMapping } from "./map_header.ts";
import { PlainTimes } from "./_plain_times.ts";
import type { RecordBorders } from "./_record_borders.ts";
import { codeOf, isInPlace, NO_MEANING, type ValueTable } from "./_value_table.ts";

const QUOTE = 0x22;
/** Shorter ones are rare; lists grow for them. */
const LIKELY_RECORD_BYTES = 160;

/** What the bytes of a chunk are. */
export interface PlainReaderOptions {
  contract: Contract;
  mapping: HeaderMapping;
  dialect: { delimiter: string };
  /** When the file was discovered, in epoch milliseconds. */
  discoveredAt: number;
}

/** How the values of a column are read. */
interface PlainColumn {
  /** Index of its field, -1 when absent. */
  readonly position: number;
  readonly inPlace: ColumnKind["inPlace"];
  readonly plain: (text: string) => string | null | undefined;
  /** What no text at all means. */
  readonly empty: string | null | undefined;
  readonly placed: PlacedColumn;
  readonly coded: CodedColumn;
  readonly table: ValueTable;
}

/** Columns that follow one another, in the contract as in the file: one, or several whose values recur. */
interface Run {
  readonly columns: readonly PlainColumn[];
  /** What all of their fields mean, by their bytes; null of one column. */
  readonly known: ByteTable | null;
  /** By column. */
  readonly meanings: Int32Array;
}

/**
 * The fast way around texts and zod: takes plainly valid records from the bytes of a chunk, without an object for any of
 * them. What it refuses may still be valid: then `validateRecord` decides. What it accepts, zod accepts with the same
 * values (property-tested).
 */
export class PlainReader {
  /** The records taken so far, and those that others add. */
  readonly accepted: AcceptedRecords;

  readonly #borders: RecordBorders;
  readonly #reader: FieldReader;
  readonly #text: ChunkText;
  readonly #delimiter: number;
  readonly #runs: readonly Run[];
  readonly #rules: readonly { first: number; second: number; holds: RecordRule["holds"] }[];
  readonly #times: PlainTimes;
  readonly #latestMicros: number;
  readonly #hasher = new ContentHasher();

  /** Where the fields of the record at hand begin; behind them, where another one would. */
  readonly #begins: Int32Array;
  /** Where they begin and end, without quotes around them. */
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  /** All bytes of a field, or-ed: ASCII leaves the highest bit unset. A quote written twice sets one beyond. */
  readonly #seen: Int32Array;

  /**
   * @param opened The chunk, as `openBytes` gives it.
   * @param options What its bytes are.
   */
  constructor(
    { borders, reader }: { borders: RecordBorders; reader: FieldReader },
    { contract, mapping, dialect, discoveredAt }: PlainReaderOptions,
  ) {
    const { bytes } = borders;
    this.#borders = borders;
    this.#reader = reader;
    this.#text = new ChunkText(bytes);
    this.#delimiter = dialect.delimiter.charCodeAt(0);
    this.#times = new PlainTimes(this.#text);
    this.#latestMicros = (discoveredAt + contract.eventTime.maxAheadMs) * 1000;
    const capacity = Math.ceil(bytes.length / LIKELY_RECORD_BYTES);
    const known = knownFieldsOf(contract);
    const columns = contract.columns.map(({ inPlace, plain }, index) => {
      const table = known.values[index]!;
      return {
        position: mapping.positions[index]!,
        inPlace,
        plain,
        empty: plain(""),
        placed: new PlacedColumn(this.#text.bytes, inPlace === undefined ? 0 : capacity),
        coded: new CodedColumn(inPlace === undefined ? capacity : 0, table.distinct),
        table,
      };
    });
    this.#runs = runsOf(columns).map((run) => ({
      columns: run,
      known: run.length === 1
        ? null
        : known.runsOf(dialect.delimiter, columns.indexOf(run[0]!), run.length),
      meanings: new Int32Array(run.length),
    }));
    this.accepted = new AcceptedRecords(
      columns.map(({ inPlace, placed, coded }) => inPlace === undefined ? coded : placed),
      capacity,
    );
    const names = contract.columns.map(({ name }) => name);
    this.#rules = contract.recordRules.map(({ reads: [first, second], holds }) => ({
      first: names.indexOf(first),
      second: names.indexOf(second),
      holds,
    }));
    const fields = mapping.header.length;
    this.#begins = new Int32Array(fields + 1);
    this.#starts = new Int32Array(fields);
    this.#ends = new Int32Array(fields);
    this.#seen = new Int32Array(fields);
  }

  /** Takes the record that was found last, with its extra columns; false when it is not plainly valid. */
  take(extrasOf: () => string | null): boolean {
    const { base, byteStart, byteEnd, line, fault } = this.#borders;
    if (fault !== undefined) return false;
    const { accepted } = this;
    const from = byteStart - base;
    const to = byteEnd - base;
    if (this.#reader.textFault(from, to) !== undefined) return false;
    if (!this.#split(from, to) || !this.#takeFields()) {
      for (const column of accepted.columns) column.truncate(accepted.lines.length);
      return false;
    }
    const extras = extrasOf();
    if (extras !== null) accepted.extras.set(accepted.lines.length, extras);
    accepted.lines.push(line);
    accepted.byteStarts.push(byteStart);
    accepted.byteLengths.push(byteEnd - byteStart);
    return true;
  }

  /** Finds the fields between two positions; false when they are not as many as in the header. */
  #split(from: number, to: number): boolean {
    const { bytes } = this.#text;
    const delimiter = this.#delimiter;
    const fields = this.#starts.length;
    let field = 0;
    let at = from;
    for (;; field++) {
      if (field === fields) return false;
      this.#begins[field] = at;
      let seen = 0;
      if (at < to && bytes[at] === QUOTE) {
        this.#starts[field] = ++at;
        for (; at < to; at++) {
          const byte = bytes[at]!;
          if (byte === QUOTE) {
            if (at + 1 === to || bytes[at + 1] !== QUOTE) break;
            seen |= ESCAPED;
            at++;
          }
          seen |= byte;
        }
        this.#ends[field] = at++;
      } else {
        this.#starts[field] = at;
        for (; at < to; at++) {
          const byte = bytes[at]!;
          if (byte === delimiter) break;
          seen |= byte;
        }
        this.#ends[field] = at;
      }
      this.#seen[field] = seen;
      if (at >= to) break;
      at++;
    }
    this.#begins[fields] = to + 1;
    return field === fields - 1;
  }

  /** Adds the values of the fields at hand; false when one is not plainly valid: then some columns have a value too many. */
  #takeFields(): boolean {
    const hasher = this.#hasher;
    hasher.begin();
    for (const run of this.#runs) {
      const isTaken = run.known === null
        ? this.#takeField(run.columns[0]!)
        : this.#takeRun(run, run.known);
      if (!isTaken) return false;
    }
    hasher.end();
    const row = this.accepted.lines.length;
    const { columns } = this.accepted;
    for (const { first, second, holds } of this.#rules) {
      if (!holds(columns[first]!.at(row), columns[second]!.at(row))) return false;
    }
    if (!(this.#times.micros <= this.#latestMicros)) return false;
    this.accepted.eventMicros.push(this.#times.micros);
    this.accepted.contentHashes.push(hasher.high, hasher.low);
    return true;
  }

  #takeField(column: PlainColumn): boolean {
    if (column.inPlace !== undefined) return this.#takePlace(column, column.inPlace);
    const { position, empty, coded } = column;
    if (position < 0) {
      if (empty === undefined) return false;
      coded.push(empty);
      this.#hasher.addText(empty);
      return true;
    }
    const meaning = this.#find(column);
    if (meaning === NO_MEANING) return false;
    this.#takeMeaning(column, meaning);
    return true;
  }

  /** Most products come again as they were described before: then one look tells what all these fields mean. */
  #takeRun({ columns, meanings }: Run, known: ByteTable): boolean {
    const { bytes } = this.#text;
    const { position } = columns[0]!;
    const from = this.#begins[position]!;
    const to = this.#begins[position + columns.length]! - 1;
    const entry = known.find(bytes, from, to, 0);
    if (entry >= 0) {
      for (let index = 0; index < columns.length; index++) {
        this.#takeMeaning(columns[index]!, known.numberOf(entry, index));
      }
      return true;
    }
    for (let index = 0; index < columns.length; index++) {
      const meaning = meanings[index] = this.#find(columns[index]!);
      if (meaning === NO_MEANING) return false;
      this.#takeMeaning(columns[index]!, meaning);
    }
    if (entry === NOT_THERE) known.add({ bytes, from, to, mark: 0 }, meanings);
    return true;
  }

  #find({ position, table }: PlainColumn): number {
    const from = this.#starts[position]!;
    return table.find(this.#text, from, this.#ends[position]!, this.#seen[position]!);
  }

  #takeMeaning({ position, coded }: PlainColumn, meaning: number): void {
    const code = codeOf(meaning);
    coded.pushCode(code);
    if (isInPlace(meaning)) {
      this.#hasher.addAscii(this.#text.bytes, this.#starts[position]!, this.#ends[position]!);
    } else {
      this.#hasher.addText(coded.valueOf(code));
    }
  }

  #takePlace(
    { position, empty, placed, plain }: PlainColumn,
    inPlace: NonNullable<ColumnKind["inPlace"]>,
  ): boolean {
    const from = position < 0 ? 0 : this.#starts[position]!;
    const to = position < 0 ? 0 : this.#ends[position]!;
    if (from === to) return this.#takeText(placed, empty);
    if (inPlace === "timestamp") {
      if (!this.#times.read(from, to)) return false;
      if (this.#times.text !== null) return this.#takeText(placed, this.#times.text);
    } else if (this.#seen[position]! >= 0x80 || !inPlace(this.#text.bytes, from, to)) {
      return this.#takeText(placed, plain(this.#textOf(position)));
    }
    placed.pushPlace(from, to);
    this.#hasher.addAscii(this.#text.bytes, from, to);
    return true;
  }

  #takeText(placed: PlacedColumn, text: string | null | undefined): boolean {
    if (text === undefined) return false;
    placed.push(text);
    this.#hasher.addText(text);
    return true;
  }

  #textOf(position: number): string {
    return this.#text.decode(this.#starts[position]!, this.#ends[position]!, this.#seen[position]!);
  }
}

/** Puts columns whose values recur together where they follow one another in the file, too. */
function runsOf(columns: readonly PlainColumn[]): PlainColumn[][] {
  const runs: PlainColumn[][] = [];
  for (const column of columns) {
    const before = runs.at(-1)?.at(-1);
    const follows = before !== undefined && before.inPlace === undefined && before.position >= 0 &&
      column.inPlace === undefined && column.position === before.position + 1;
    if (follows) runs.at(-1)!.push(column);
    else runs.push([column]);
  }
  return runs;
}
