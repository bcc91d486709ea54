import { ByteSearch } from "./_byte_search.ts";
import type { CsvDialect } from "./scan_csv.ts";

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;

/** Where the walk through a record's bytes stands. */
const FIELD_START = 0;
const UNQUOTED = 1;
const QUOTED = 2;
const QUOTE_SEEN = 3;

/** Why the walk stopped. */
const RECORD_END = 0;
const LIMIT_REACHED = 1;
const QUOTE_BROKEN = 2;

/** What the search for record borders needs to know about a file. */
export interface BorderOptions {
  delimiter: CsvDialect["delimiter"];
  /** Longest record in bytes, without its line end. */
  maxRecordBytes: number;
  /** Absolute offset of the first byte that will be loaded. */
  byteStart: number;
  /** Physical line number at that byte. */
  firstLine: number;
}

/**
 * Finds where records begin and end, in a window of bytes that slides over the file. It knows
 * nothing of fields, so the planner and the reader share it and cannot disagree.
 *
 * A record that fails is given up after its first physical line, and the lines behind it are
 * searched again. Without memory that is quadratic: each line of a long run could open a quote
 * that is searched to the same dead end. Hence `#searchedTo`: inside a failed search every line
 * end stood in an open quote, so a later record that has a quote open at one of those line ends is
 * on the same path, and is moved to the end of it at once. Each byte is examined at most twice.
 */
export class RecordBorders {
  /** Absolute offset of the record found last. */
  byteStart = 0;
  /** Its absolute end, without the line end; equal to `byteStart` for a blank line. */
  byteEnd = 0;
  /** Absolute offset of the line behind it. */
  byteNext = 0;
  /** Its first physical line. */
  line = 0;
  /** Physical line number at `settled`; while an overlong record is skipped, its own. */
  nextLine: number;
  fault: "broken_quote" | "record_too_long" | undefined;
  /** Whether the input ended within a quoted field: the rest of its record may be missing. */
  endsInQuote = false;
  /** Bytes the walk has looked at, to prove that work is linear. */
  examined = 0;

  /** The window, the absolute offset of its first byte, and how it is searched. */
  bytes: Uint8Array = new Uint8Array(0);
  base: number;
  search = new ByteSearch(this.bytes);

  readonly #delimiter: number;
  readonly #maxRecordBytes: number;
  #final = false;

  /** Window position up to which all is settled: start of the next record, or inside a long one. */
  #at = 0;
  /** Absolute start of the overlong record being skipped, else -1. */
  #skipStart = -1;

  /** First line end and quote at or after where one was sought last, kept until passed. */
  #lf = -1;
  #cr = -1;
  #quote = -1;

  /** The walk through the current record, kept when the window ends inside it. */
  #spanning = false;
  #pos = 0;
  #state = FIELD_START;
  #firstLineEnd = 0;

  /** End of the last failed search over line ends, which is the furthest, and the state there. */
  #searchedTo = 0;
  #searchedState = QUOTED;

  constructor({ delimiter, maxRecordBytes, byteStart, firstLine }: BorderOptions) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#maxRecordBytes = maxRecordBytes;
    this.base = byteStart;
    this.nextLine = firstLine;
  }

  /** Absolute offset before which no byte will be needed again. */
  get settled(): number {
    return this.base + this.#at;
  }

  /** Absolute start of an overlong record whose line end has not been seen yet, else -1. */
  get skipping(): number {
    return this.#skipStart;
  }

  /**
   * Moves the window.
   *
   * @param bytes Everything from `settled` on, and more than before.
   * @param final Whether the input ends here.
   */
  load(bytes: Uint8Array, final: boolean): void {
    const dropped = this.#at;
    this.bytes = bytes;
    this.search = new ByteSearch(bytes);
    this.base += dropped;
    this.#final = final;
    this.#at = 0;
    this.#pos -= dropped;
    this.#firstLineEnd -= dropped;
    this.#searchedTo -= dropped;
    this.#lf = this.#cr = this.#quote = -1;
  }

  /** Finds the next record or blank line; false when the window holds no further whole one. */
  advance(): boolean {
    if (this.#spanning) return this.#continueSpan();
    if (this.#skipStart >= 0) return this.#skipLine();
    const start = this.#at;
    const length = this.bytes.length;
    if (start >= length) return false;

    const lineEnd = this.#findLineEnd(start);
    if (lineEnd - start > this.#maxRecordBytes) {
      this.#skipStart = this.base + start;
      this.#at = lineEnd;
      return this.#skipLine();
    }
    if (!this.#isKnown(lineEnd)) return false;

    const quote = this.#passQuotedFields(start, lineEnd);
    if (quote >= lineEnd) return this.#found(lineEnd, undefined);

    this.#pos = quote + 1;
    this.#state = this.#opensField(quote, start) ? QUOTED : UNQUOTED;
    const outcome = this.#walk(lineEnd);
    if (outcome === QUOTE_BROKEN) return this.#found(lineEnd, "broken_quote");
    if (this.#state !== QUOTED) return this.#found(lineEnd, undefined);

    if (lineEnd < this.#searchedTo) {
      this.#pos = this.#searchedTo;
      this.#state = this.#searchedState;
    }
    this.#spanning = true;
    this.#firstLineEnd = lineEnd;
    return this.#continueSpan();
  }

  /**
   * Passes, by search, the quoted fields of a line that end in it and have no quote inside, as
   * nearly all are.
   *
   * @returns The first quote that is not part of them, possibly of a later line.
   */
  #passQuotedFields(start: number, lineEnd: number): number {
    let quote = this.#findQuote(start);
    while (quote < lineEnd && this.#opensField(quote, start)) {
      const fieldEnd = this.#findQuote(quote + 1) + 1;
      if (fieldEnd > lineEnd) break;
      if (fieldEnd < lineEnd && this.bytes[fieldEnd] !== this.#delimiter) break;
      quote = this.#findQuote(fieldEnd);
    }
    return quote;
  }

  #opensField(quote: number, start: number): boolean {
    return quote === start || this.bytes[quote - 1] === this.#delimiter;
  }

  /** Follows a record over its line ends to its end, the cap, or the end of the window. */
  #continueSpan(): boolean {
    const cap = this.#at + this.#maxRecordBytes + 1;
    const limit = Math.min(this.bytes.length, cap);
    const outcome = this.#walk(limit);
    if (outcome === RECORD_END) {
      if (!this.#isKnown(this.#pos)) return false;
      return this.#foundSpan(this.#pos);
    }
    if (outcome === LIMIT_REACHED && limit < cap) {
      if (!this.#final) return false;
      if (this.#state !== QUOTED) return this.#foundSpan(limit);
      this.endsInQuote = true;
    }
    this.#searchedTo = this.#pos;
    this.#searchedState = this.#state;
    this.#spanning = false;
    return this.#found(this.#firstLineEnd, "broken_quote");
  }

  #foundSpan(end: number): boolean {
    this.#spanning = false;
    const lineEnds = countLineEnds(this.bytes, this.#firstLineEnd, end);
    this.#found(end, undefined);
    this.nextLine += lineEnds;
    return true;
  }

  /** Looks for the end of an overlong line without keeping its bytes. */
  #skipLine(): boolean {
    const lineEnd = this.#findLineEnd(this.#at);
    this.#at = lineEnd;
    if (!this.#isKnown(lineEnd)) return false;
    this.#found(lineEnd, "record_too_long");
    this.byteStart = this.#skipStart;
    this.#skipStart = -1;
    return true;
  }

  #found(end: number, fault: RecordBorders["fault"]): boolean {
    const bytes = this.bytes;
    const next = bytes[end] === CR && bytes[end + 1] === LF ? end + 2 : end + 1;
    this.byteStart = this.base + this.#at;
    this.byteEnd = this.base + end;
    this.#at = Math.min(next, bytes.length);
    this.byteNext = this.base + this.#at;
    this.line = this.nextLine++;
    this.fault = fault;
    return true;
  }

  #findLineEnd(from: number): number {
    if (this.#lf < from) this.#lf = this.search.find("\n", from);
    if (this.#cr < from) this.#cr = this.search.find("\r", from);
    return this.#lf < this.#cr ? this.#lf : this.#cr;
  }

  #findQuote(from: number): number {
    if (this.#quote < from) this.#quote = this.search.find('"', from);
    return this.#quote;
  }

  /** Whether the line end at `end` is whole: behind a CR at the window's end an LF may follow. */
  #isKnown(end: number): boolean {
    return this.#final || end < this.bytes.length - 1;
  }

  /** Walks from `#pos` to the record's end, to a broken quote, or to `limit`. */
  #walk(limit: number): number {
    const { bytes } = this;
    const delimiter = this.#delimiter;
    const from = this.#pos;
    let pos = from;
    let state = this.#state;
    let outcome = LIMIT_REACHED;
    while (pos < limit) {
      if (state === QUOTED) {
        while (pos < limit && bytes[pos] !== QUOTE) pos++;
        if (pos === limit) break;
        state = QUOTE_SEEN;
        pos++;
        continue;
      }
      const byte = bytes[pos];
      if (byte === QUOTE && state !== UNQUOTED) {
        state = QUOTED;
        pos++;
      } else if (byte === delimiter) {
        state = FIELD_START;
        pos++;
      } else if (byte === LF || byte === CR) {
        outcome = RECORD_END;
        break;
      } else if (state === QUOTE_SEEN) {
        outcome = QUOTE_BROKEN;
        break;
      } else {
        state = UNQUOTED;
        pos++;
      }
    }
    this.examined += pos - from;
    this.#pos = pos;
    this.#state = state;
    return outcome;
  }
}

function countLineEnds(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) {
    if (bytes[i] === LF || (bytes[i] === CR && bytes[i + 1] !== LF)) count++;
  }
  return count;
}
