/**
 * A small fast generator of pseudo-random numbers: sfc32 (Chris Doty-Humphrey, PractRand), started
 * from 128 bits that integers are hashed to in the manner of MurmurHash3. One instance is restarted
 * for each thing to draw, so that drawing allocates nothing.
 *
 * @example The same words, the same numbers
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const prng = new Prng(42, 7);
 * const first = prng.uint32();
 * prng.restart(42, 8);
 * assert.notEqual(prng.uint32(), first);
 * prng.restart(42, 7);
 * assert.equal(prng.uint32(), first);
 * ```
 */
export class Prng {
  private a = 0;
  private b = 0;
  private c = 0;
  private counter = 0;

  /** @param words See {@linkcode Prng.restart}. */
  constructor(seed: number, stream = 0, x = 0, y = 0, z = 0) {
    this.restart(seed, stream, x, y, z);
  }

  /**
   * Goes to the start of the sequence that belongs to these integers.
   *
   * @param seed Any safe integer.
   * @param stream What is drawn, so that two kinds of things never share a sequence; 32 bits.
   * @param x Any safe integer.
   * @param y 32 bits.
   * @param z 32 bits.
   */
  restart(seed: number, stream = 0, x = 0, y = 0, z = 0): void {
    this.a = 0x6a09e667;
    this.b = 0xbb67ae85 | 0;
    this.c = 0x3c6ef372;
    this.counter = 0xa54ff53a | 0;
    this.absorb(seed | 0);
    this.absorb(Math.floor(seed / 0x1_0000_0000) | 0);
    this.absorb(stream);
    this.absorb(x | 0);
    this.absorb(Math.floor(x / 0x1_0000_0000) | 0);
    this.absorb(y);
    this.absorb(z);
    for (let round = 0; round < 12; round++) this.uint32();
  }

  private absorb(word: number): void {
    this.a = this.b ^ Math.imul(this.a ^ word, 0x239b961b);
    this.b = this.c ^ Math.imul(this.b ^ word, 0xab0e9789);
    this.c = this.counter ^ Math.imul(this.c ^ word, 0x38b34ae5);
    this.counter = this.a ^ Math.imul(this.counter ^ word, 0xa1e38b93);
    this.b ^= this.b >>> 15;
    this.counter ^= this.counter >>> 13;
  }

  /** The next number from 0 to 2³² - 1. */
  uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** The next number strictly between 0 and 1. */
  uniform(): number {
    return (this.uint32() + 0.5) / 0x1_0000_0000;
  }

  /** The next integer from 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.uint32() / 0x1_0000_0000 * count);
  }

  /** The next waiting time with mean 1. */
  exponential(): number {
    return -Math.log(this.uniform());
  }
}

/** The streams of {@linkcode Prng.restart} in use; a new number for each new thing. */
export const STREAM = {
  catalog: 1,
  faker: 2,
  dayPeak: 3,
  arrivals: 4,
  session: 5,
  visit: 6,
  slot: 7,
  user: 8,
  priceChange: 9,
  faults: 10,
  fileFaults: 11,
  /** The first of as many streams as a session can have events. */
  eventIds: 1000,
} as const;
