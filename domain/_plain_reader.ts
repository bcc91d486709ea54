import { AcceptedRecords, CodedColumn, PlacedColumn } from "./accepted_records.ts";
import { ChunkText, ESCAPED } from "./_chunk_text.ts";
import { ContentHasher } from "./content_hash.ts";
import type { ColumnKind, Contract, RecordRule } from "./contract.ts";
import type { FieldReader } from "./_field_reader.ts";
import type { HeaderMapping } from "./map_header.ts";
import { PlainTimes } from "./_plain_times.ts";
import { isPlainUuid, UUID_LENGTH } from "./_plain_values.ts";
import type { RecordBorders } from "./_record_borders.ts";
import { KEY_PRIME, KEY_SEED, NO_CODE, ValueTable } from "./_value_table.ts";

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
  readonly #columns: readonly PlainColumn[];
  readonly #rules: readonly { first: number; second: number; holds: RecordRule["holds"] }[];
  readonly #times: PlainTimes;
  readonly #latestMicros: number;
  readonly #hasher = new ContentHasher();

  /** Where the fields of the record at hand begin and end, without quotes around them. */
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  /** For {@linkcode ValueTable.find}. */
  readonly #keys: Int32Array;
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
    const { bytes, raw } = borders;
    this.#borders = borders;
    this.#reader = reader;
    this.#text = new ChunkText(bytes, raw);
    this.#delimiter = dialect.delimiter.charCodeAt(0);
    this.#times = new PlainTimes(this.#text);
    this.#latestMicros = (discoveredAt + contract.eventTime.maxAheadMs) * 1000;
    const capacity = Math.ceil(bytes.length / LIKELY_RECORD_BYTES);
    this.#columns = contract.columns.map(({ inPlace, plain }, index) => {
      const coded = new CodedColumn(inPlace === undefined ? capacity : 0);
      return {
        position: mapping.positions[index]!,
        inPlace,
        plain,
        empty: plain(""),
        placed: new PlacedColumn(this.#text.bytes, inPlace === undefined ? 0 : capacity),
        coded,
        table: new ValueTable(this.#text, coded, plain),
      };
    });
    this.accepted = new AcceptedRecords(
      this.#columns.map(({ inPlace, placed, coded }) => inPlace === undefined ? coded : placed),
      capacity,
    );
    const names = contract.columns.map(({ name }) => name);
    this.#rules = contract.recordRules.map(({ reads: [first, second], holds }) => ({
      first: names.indexOf(first),
      second: names.indexOf(second),
      holds,
    }));
    const fields = mapping.header.length;
    this.#starts = new Int32Array(fields);
    this.#ends = new Int32Array(fields);
    this.#keys = new Int32Array(fields);
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
    accepted.lines.push(line);
    accepted.byteStarts.push(byteStart);
    accepted.byteLengths.push(byteEnd - byteStart);
    accepted.extras.push(extrasOf());
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
      let key = KEY_SEED;
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
          key = Math.imul(key ^ byte, KEY_PRIME);
        }
        this.#ends[field] = at++;
      } else {
        this.#starts[field] = at;
        for (; at < to; at++) {
          const byte = bytes[at]!;
          if (byte === delimiter) break;
          seen |= byte;
          key = Math.imul(key ^ byte, KEY_PRIME);
        }
        this.#ends[field] = at;
      }
      this.#keys[field] = key;
      this.#seen[field] = seen;
      if (at >= to) break;
      at++;
    }
    return field === fields - 1;
  }

  /** Adds the values of the fields at hand; false when one is not plainly valid: then some columns have a value too many. */
  #takeFields(): boolean {
    const hasher = this.#hasher;
    hasher.begin();
    for (const column of this.#columns) {
      const isTaken = column.inPlace === undefined
        ? this.#takeCode(column)
        : this.#takePlace(column, column.inPlace);
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

  #takeCode({ position, empty, coded, table }: PlainColumn): boolean {
    if (position < 0) {
      if (empty === undefined) return false;
      coded.push(empty);
      this.#hasher.addText(empty);
      return true;
    }
    const from = this.#starts[position]!;
    const to = this.#ends[position]!;
    const code = table.find(from, to, this.#keys[position]!, this.#seen[position]!);
    if (code === NO_CODE) return false;
    coded.pushCode(code);
    if (table.isInPlace) this.#hasher.addAscii(this.#text.bytes, from, to);
    else this.#hasher.addText(coded.valueOf(code));
    return true;
  }

  #takePlace(
    { position, empty, placed, plain }: PlainColumn,
    inPlace: "uuid" | "timestamp" | "text",
  ): boolean {
    const from = position < 0 ? 0 : this.#starts[position]!;
    const to = position < 0 ? 0 : this.#ends[position]!;
    if (from === to) return this.#takeText(placed, empty);
    if (inPlace === "timestamp") {
      if (!this.#times.read(from, to)) return false;
      if (this.#times.text !== null) return this.#takeText(placed, this.#times.text);
    } else if (
      inPlace === "text" || to - from !== UUID_LENGTH || !isPlainUuid(this.#text.bytes, from)
    ) {
      const text = this.#textOf(position);
      const value = plain(text);
      if (value !== text || this.#seen[position]! >= 0x80) return this.#takeText(placed, value);
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
