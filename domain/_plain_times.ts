import type { ChunkText } from "./_chunk_text.ts";
import { epochMicros, plainTimestamp } from "./_timestamp.ts";

const DIGIT_0 = 48;
const COLON = 58;
const DOT = 46;
const LETTER_T = 84;
const LETTER_Z = 90;
/** Length of `2026-01-31T09:30`. */
const MINUTE_LENGTH = 16;
const LONGEST = "2026-01-31T09:30:15.250001Z".length;

/**
 * Reads times where they stand in the bytes of a chunk. Neighbours mostly share their minute: then only the seconds are
 * read.
 */
export class PlainTimes {
  readonly #text: ChunkText;
  /** Where a canonical time of the minute seen last stands. */
  #minuteAt = -1;
  #minuteMicros = 0;

  /** Of the time read last, microseconds since 1970. */
  micros = 0;
  /** Its canonical text; null when that is what the bytes say. */
  text: string | null = null;

  /** @param text The chunk. */
  constructor(text: ChunkText) {
    this.#text = text;
  }

  /** Reads the time between two positions; false when it is not plainly one. */
  read(from: number, to: number): boolean {
    return this.#isOfMinute(from, to) && this.#readSeconds(from + MINUTE_LENGTH, to - 1) ||
      this.#readText(from, to);
  }

  #isOfMinute(from: number, to: number): boolean {
    const { bytes } = this.#text;
    const known = this.#minuteAt;
    if (known < 0 || to - from < MINUTE_LENGTH + 4 || to - from > LONGEST) return false;
    for (let index = 0; index < MINUTE_LENGTH; index++) {
      if (bytes[from + index] !== bytes[known + index]) return false;
    }
    return bytes[to - 1] === LETTER_Z;
  }

  /** Reads `:15.25`; false when it is not the canonical end of a time. */
  #readSeconds(from: number, to: number): boolean {
    const { bytes } = this.#text;
    const tens = bytes[from + 1]! - DIGIT_0;
    const ones = bytes[from + 2]! - DIGIT_0;
    if (bytes[from] !== COLON || tens < 0 || tens > 5 || ones < 0 || ones > 9) return false;
    let micros = this.#minuteMicros + (tens * 10 + ones) * 1_000_000;
    if (to > from + 3) {
      if (bytes[from + 3] !== DOT || to === from + 4 || bytes[to - 1] === DIGIT_0) return false;
      let unit = 100_000;
      for (let index = from + 4; index < to; index++) {
        const digit = bytes[index]! - DIGIT_0;
        if (digit < 0 || digit > 9) return false;
        micros += digit * unit;
        unit /= 10;
      }
    }
    this.micros = micros;
    this.text = null;
    return true;
  }

  #readText(from: number, to: number): boolean {
    const { bytes } = this.#text;
    const text = bytes.toString("latin1", from, to);
    const canonical = plainTimestamp(text);
    if (canonical === undefined) return false;
    this.micros = epochMicros(canonical);
    this.text = canonical === text ? null : canonical;
    if (bytes[from + 10] === LETTER_T && bytes[to - 1] === LETTER_Z) {
      this.#minuteAt = from;
      this.#minuteMicros = epochMicros(`${text.slice(0, MINUTE_LENGTH)}:00Z`);
    }
    return true;
  }
}
