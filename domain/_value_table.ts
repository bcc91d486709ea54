import type { CodedColumn } from "./accepted_records.ts";
import { Int32List } from "./int32_list.ts";
import { type ChunkText, ESCAPED } from "./_chunk_text.ts";

/** Begins the key of a field's bytes: see {@linkcode ValueTable.find}. */
export const KEY_SEED = 0x811c9dc5 | 0;
/** Each byte of a field goes into its key by xor and this product (FNV-1a). */
export const KEY_PRIME = 0x01000193;

/** The answer of {@linkcode ValueTable.find} on bytes that are not plainly valid. */
export const NO_CODE = -1;

const FIRST_SLOTS = 64;
/** More are needed only for values that were made to have one key: those take the slow way, each by itself. */
const MAX_PROBES = 256;

/**
 * Remembers what the fields of one column mean, by their bytes: each spelling is checked once for all records of a chunk
 * that have it.
 */
export class ValueTable {
  readonly #text: ChunkText;
  readonly #column: CodedColumn;
  readonly #plain: (text: string) => string | null | undefined;
  /** By slot the number of an entry and 1; 0 when it is free. */
  #slots = new Int32Array(FIRST_SLOTS);
  readonly #keys = new Int32List();
  /** Where the bytes of an entry were seen first. */
  readonly #starts = new Int32List();
  readonly #lengths = new Int32List();
  readonly #seen = new Int32List();
  readonly #codes = new Int32List();
  readonly #inPlace: boolean[] = [];

  /** Whether the bytes that were found last are the value, each of them ASCII. */
  isInPlace = false;

  /**
   * @param text The chunk.
   * @param column What the codes are of.
   * @param plain The fast way of the column's kind.
   */
  constructor(
    text: ChunkText,
    column: CodedColumn,
    plain: (text: string) => string | null | undefined,
  ) {
    this.#text = text;
    this.#column = column;
    this.#plain = plain;
  }

  /**
   * The code of the value that a field of the chunk has, or {@linkcode NO_CODE} when that is not found out here.
   *
   * @param from First byte of the field, without quotes around it.
   * @param to Behind its last byte.
   * @param key {@linkcode KEY_SEED}, then each byte of the text.
   * @param seen All its bytes, or-ed; {@linkcode ESCAPED}.
   */
  find(from: number, to: number, key: number, seen: number): number {
    const { bytes } = this.#text;
    const length = to - from;
    const mask = this.#slots.length - 1;
    let slot = (key ^ (key >>> 15)) & mask;
    search: for (let probes = 0; probes < MAX_PROBES; probes++, slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]! - 1;
      if (entry < 0) return this.#add(slot, { from, to, key, seen });
      if (this.#keys.at(entry) !== key || this.#lengths.at(entry) !== length) continue;
      if (this.#seen.at(entry) !== seen) continue;
      const start = this.#starts.at(entry);
      for (let index = 0; index < length; index++) {
        if (bytes[start + index] !== bytes[from + index]) continue search;
      }
      this.isInPlace = this.#inPlace[entry]!;
      return this.#codes.at(entry);
    }
    return NO_CODE;
  }

  #add(
    slot: number,
    { from, to, key, seen }: { from: number; to: number; key: number; seen: number },
  ): number {
    const text = this.#text.decode(from, to, seen);
    const value = this.#plain(text);
    this.isInPlace = value === text && seen < 0x80;
    const code = this.#toCode(text, value, seen);
    this.#keys.push(key);
    const entries = this.#keys.length;
    this.#starts.push(from);
    this.#lengths.push(to - from);
    this.#seen.push(seen);
    this.#codes.push(code);
    this.#inPlace.push(this.isInPlace);
    this.#slots[slot] = entries;
    if (entries * 2 > this.#slots.length) this.#grow();
    return code;
  }

  #toCode(text: string, value: string | null | undefined, seen: number): number {
    if (value === undefined) return NO_CODE;
    // A value spelt as usual is new, or it would have been found: only unusual spellings can mean the same.
    const isUsual = value === text && (seen >= ESCAPED || !text.includes('"'));
    return isUsual ? this.#column.toNewCode(value) : this.#column.toCode(value);
  }

  #grow(): void {
    const mask = this.#slots.length * 2 - 1;
    this.#slots = new Int32Array(mask + 1);
    for (let entry = 0; entry < this.#keys.length; entry++) {
      const key = this.#keys.at(entry);
      let slot = (key ^ (key >>> 15)) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = entry + 1;
    }
  }
}
