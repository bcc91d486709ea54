import { grown } from "./number_list.ts";

/** The answers of {@linkcode ByteTable.find} on bytes that were not added, and on such as cannot be. */
export const NOT_THERE = -1;
export const NO_ROOM = -2;

const FIRST_SLOTS = 64;
const FIRST_BYTES = 1024;
/** More are needed only for bytes that were made to have one key. */
const MAX_PROBES = 256;

/** What an entry begins with, by its place in it; its numbers follow. */
const KEY = 0;
/** Where its bytes begin among those that are kept. */
const START = 1;
const LENGTH = 2;
const MARK = 3;
const NUMBERS = 4;

/** Numbers by bytes, in memory of its own: one entry lies in one place, since most of the time goes on waiting for memory. */
export class ByteTable {
  readonly #entryLength: number;
  /** By slot where an entry begins, and 1; 0 when it is free. */
  #slots = new Int32Array(FIRST_SLOTS);
  #entries: Int32Array;
  #used = 0;
  #bytes = new Uint8Array(FIRST_BYTES);
  #usedBytes = 0;

  /** @param numbers How many belong to each entry. */
  constructor(numbers: number) {
    this.#entryLength = NUMBERS + numbers;
    this.#entries = new Int32Array(FIRST_SLOTS / 2 * this.#entryLength);
  }

  /** How many entries it has. */
  get size(): number {
    return this.#used / this.#entryLength;
  }

  /** How many bytes they have. */
  get byteLength(): number {
    return this.#usedBytes;
  }

  /**
   * Finds an entry: {@linkcode NOT_THERE} when it can be added, {@linkcode NO_ROOM} when it cannot.
   *
   * @param bytes Some of which are looked for.
   * @param from The first of these.
   * @param to Behind the last one.
   * @param mark What else tells it from others.
   */
  find(bytes: Uint8Array, from: number, to: number, mark: number): number {
    const entries = this.#entries;
    const slots = this.#slots;
    const mask = slots.length - 1;
    const key = keyOf(bytes, from, to);
    let slot = key & mask;
    for (let probes = 0; probes < MAX_PROBES; probes++, slot = (slot + 1) & mask) {
      const entry = slots[slot]! - 1;
      if (entry < 0) return NOT_THERE;
      if (entries[entry + KEY] !== key || entries[entry + LENGTH] !== to - from) continue;
      if (entries[entry + MARK] !== mark) continue;
      if (this.#isKept(entries[entry + START]!, bytes, from, to)) return entry;
    }
    return NO_ROOM;
  }

  /** One of the numbers of an entry. */
  numberOf(entry: number, index: number): number {
    return this.#entries[entry + NUMBERS + index]!;
  }

  /**
   * Adds what {@linkcode find} says is not there.
   *
   * @param numbers As many as belong to an entry.
   */
  add(
    { bytes, from, to, mark }: { bytes: Uint8Array; from: number; to: number; mark: number },
    numbers: ArrayLike<number>,
  ): void {
    if (this.#used === this.#entries.length) this.#grow();
    const entry = this.#used;
    const entries = this.#entries;
    entries[entry + KEY] = keyOf(bytes, from, to);
    entries[entry + START] = this.#keep(bytes, from, to);
    entries[entry + LENGTH] = to - from;
    entries[entry + MARK] = mark;
    entries.set(numbers, entry + NUMBERS);
    this.#used += this.#entryLength;
    this.#enter(entry);
  }

  #enter(entry: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#entries[entry + KEY]! & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = entry + 1;
  }

  /** Keeps the bytes of an entry; returns where. */
  #keep(bytes: Uint8Array, from: number, to: number): number {
    const start = this.#usedBytes;
    const end = start + to - from;
    if (end > this.#bytes.length) {
      const more = new Uint8Array(Math.max(this.#bytes.length * 2, end));
      more.set(this.#bytes);
      this.#bytes = more;
    }
    for (let at = from; at < to; at++) this.#bytes[start + at - from] = bytes[at]!;
    this.#usedBytes = end;
    return start;
  }

  /** Half of the slots stay free. */
  #grow(): void {
    this.#entries = grown(this.#entries, this.#entries.length * 2);
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let entry = 0; entry < this.#used; entry += this.#entryLength) this.#enter(entry);
  }

  #isKept(start: number, bytes: Uint8Array, from: number, to: number): boolean {
    const kept = this.#bytes;
    for (let at = from; at < to; at++) {
      if (kept[start + at - from] !== bytes[at]) return false;
    }
    return true;
  }
}

/**
 * A hash; its lower bits choose the slot. Four bytes at a time go into it by xor, product and shift; without the last
 * product, numbers that follow one another would meet in few slots.
 */
export function keyOf(bytes: Uint8Array, from: number, to: number): number {
  let key = KEY_SEED;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    const word = bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24;
    key = Math.imul(key ^ word, KEY_FACTOR);
    key ^= key >>> 15;
  }
  for (; at < to; at++) key = Math.imul(key ^ bytes[at]!, KEY_FACTOR);
  key = Math.imul(key ^ (key >>> 15), LAST_FACTOR);
  return key ^ (key >>> 16);
}

/** Another one in each process: nobody can write a file that makes what others bring slow to find. */
const KEY_SEED = crypto.getRandomValues(new Int32Array(1))[0]!;
/** Those of MurmurHash3. */
const KEY_FACTOR = 0x85ebca6b | 0;
const LAST_FACTOR = 0xc2b2ae35 | 0;
