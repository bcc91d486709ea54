import { ByteTable, NO_ROOM, NOT_THERE } from "./_byte_table.ts";
import { type ChunkText, ESCAPED } from "./_chunk_text.ts";
import type { ColumnKind } from "./contract.ts";
import { DistinctValues } from "./distinct_values.ts";

/** The answer of {@linkcode ValueTable.find} on bytes that are not plainly valid. */
export const NO_MEANING = -1;

/** The code of the value that bytes mean. */
export function codeOf(meaning: number): number {
  return meaning >> 1;
}

/** Whether the bytes are the value, each of them ASCII. */
export function isInPlace(meaning: number): boolean {
  return (meaning & 1) === 1;
}

/**
 * Remembers what the fields of one column mean, by their bytes: each spelling is checked once, whatever records and
 * chunks have it.
 */
export class ValueTable {
  /** What the codes stand for. */
  readonly distinct = new DistinctValues();
  readonly #plain: ColumnKind["plain"];
  readonly #meanings = new ByteTable(1);

  /** @param plain The fast way of the column's kind. */
  constructor(plain: ColumnKind["plain"]) {
    this.#plain = plain;
  }

  /** How many values and spellings it has. */
  get size(): number {
    return Math.max(this.distinct.values.length, this.#meanings.size);
  }

  /** How many bytes the spellings have. */
  get byteLength(): number {
    return this.#meanings.byteLength;
  }

  /**
   * What a field means, for {@linkcode codeOf} and {@linkcode isInPlace}, or {@linkcode NO_MEANING} when that is not found
   * out here.
   *
   * @param text The chunk.
   * @param from First byte of the field, without quotes around it.
   * @param to Behind its last byte.
   * @param seen All its bytes, or-ed; {@linkcode ESCAPED}.
   */
  find(text: ChunkText, from: number, to: number, seen: number): number {
    const entry = this.#meanings.find(text.bytes, from, to, seen);
    if (entry === NO_ROOM) return NO_MEANING;
    if (entry !== NOT_THERE) return this.#meanings.numberOf(entry, 0);
    const meaning = this.#read(text.decode(from, to, seen), seen);
    this.#meanings.add({ bytes: text.bytes, from, to, mark: seen }, [meaning]);
    return meaning;
  }

  #read(text: string, seen: number): number {
    const value = this.#plain(text);
    if (value === undefined) return NO_MEANING;
    // A value spelt as usual is new, or it would have been found: only unusual spellings can mean the same.
    const isUsual = value === text && (seen >= ESCAPED || !text.includes('"'));
    const code = isUsual ? this.distinct.toNewCode(value) : this.distinct.toCode(value);
    return code << 1 | (value === text && seen < 0x80 ? 1 : 0);
  }
}
