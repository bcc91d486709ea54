import type { Codes } from "../../domain/accepted_records.ts";
import { Int32List } from "../../domain/int32_list.ts";

/** Products as some events describe them, by row. */
export interface Descriptions {
  readonly id: Codes<string>;
  readonly name: Codes<string>;
  readonly category: Codes<string>;
  readonly brand: Codes<string>;
  /** Times of the events, microseconds since 1970. */
  readonly seenAt: readonly number[];
}

/**
 * Remembers how products were described. A chunk has thousands, nearly all known already, but in texts of its own: to
 * compare these with what is kept here, side by side, takes half the time of a `Map` and the objects in it.
 */
export class KnownProducts {
  /** By slot the number of a product's newest description and 1; 0 when it is free. */
  #slots = new Int32Array(FIRST_SLOTS);
  /** By description: of its id. */
  readonly #hashes = new Int32List();
  /** By description. */
  readonly #seenAt: number[] = [];
  /** {@linkcode TEXTS} of each description. */
  readonly #texts = new KeptTexts();

  /** How many descriptions were remembered; those that newer ones have replaced take memory as well. */
  get size(): number {
    return this.#seenAt.length;
  }

  /** Takes note that an event has seen a product; false when it has to be described anew. */
  see(products: Descriptions, row: number): boolean {
    const id = valueOf(products.id, row);
    const description = this.#slots[this.#slotOf(id, hashOf(id))]! - 1;
    if (!(description >= 0)) return false;
    const seenAt = products.seenAt[row]!;
    if (seenAt <= this.#seenAt[description]!) return true;
    const texts = this.#texts;
    const first = description * TEXTS;
    const isSame = texts.equals(first + 1, valueOf(products.name, row)) &&
      texts.equals(first + 2, valueOf(products.category, row)) &&
      texts.equals(first + 3, valueOf(products.brand, row));
    if (isSame) this.#seenAt[description] = seenAt;
    return isSame;
  }

  /** Remembers how an event describes a product, unless a newer one is known. */
  remember(products: Descriptions, row: number): void {
    const id = valueOf(products.id, row);
    const hash = hashOf(id);
    const slot = this.#slotOf(id, hash);
    if (slot === NO_SLOT) return;
    const description = this.#slots[slot]! - 1;
    const seenAt = products.seenAt[row]!;
    if (description >= 0 && seenAt <= this.#seenAt[description]!) return;
    this.#hashes.push(hash);
    this.#slots[slot] = this.#seenAt.push(seenAt);
    const texts = this.#texts;
    texts.push(id);
    texts.push(valueOf(products.name, row));
    texts.push(valueOf(products.category, row));
    texts.push(valueOf(products.brand, row));
    if (this.size * 2 > this.#slots.length) this.#grow();
  }

  /** Where the product is, or would be. */
  #slotOf(id: string, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = firstSlot(hash, mask);
    for (let probes = 0; probes < MAX_PROBES; probes++, slot = (slot + 1) & mask) {
      const description = slots[slot]! - 1;
      if (description < 0) return slot;
      if (this.#hashes.at(description) !== hash) continue;
      if (this.#texts.equals(description * TEXTS, id)) return slot;
    }
    return NO_SLOT;
  }

  #grow(): void {
    const old = this.#slots;
    const slots = this.#slots = new Int32Array(old.length * 2);
    const mask = slots.length - 1;
    for (const taken of old) {
      if (taken === 0) continue;
      let slot = firstSlot(this.#hashes.at(taken - 1), mask);
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = taken;
    }
  }
}

const TEXTS = 4;
const FIRST_SLOTS = 1024;
/** More are needed only for ids that were made to have one hash: such products are not remembered. */
const MAX_PROBES = 256;
const NO_SLOT = -1;

function valueOf({ codeOf, values }: Codes<string>, row: number): string {
  return values[codeOf[row]!]!;
}

function hashOf(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash, 31) + text.charCodeAt(at) | 0;
  return hash;
}

/** Ids that differ in their last digit differ in the upper bits of the product, too. */
function firstSlot(hash: number, mask: number): number {
  const product = Math.imul(hash, GOLDEN_RATIO);
  return (product ^ (product >>> 15)) & mask;
}

/** Its fraction, times 2 to the 32: multiplying by it spreads numbers (Knuth, The Art of Computer Programming 6.4). */
const GOLDEN_RATIO = 0x9e3779b9 | 0;

/** Texts, kept in one piece of memory: none shares it with the text that it was cut from. */
class KeptTexts {
  #units = new Uint16Array(FIRST_UNITS);
  readonly #ends = new Int32List();
  #used = 0;

  push(text: string): void {
    const end = this.#used + text.length;
    if (end > this.#units.length) this.#grow(end);
    for (let at = 0; at < text.length; at++) this.#units[this.#used + at] = text.charCodeAt(at);
    this.#used = end;
    this.#ends.push(end);
  }

  /** Whether a kept one, given its number, is the same text. */
  equals(index: number, text: string): boolean {
    const start = index === 0 ? 0 : this.#ends.at(index - 1);
    if (this.#ends.at(index) - start !== text.length) return false;
    const units = this.#units;
    for (let at = 0; at < text.length; at++) {
      if (units[start + at] !== text.charCodeAt(at)) return false;
    }
    return true;
  }

  #grow(least: number): void {
    const units = new Uint16Array(Math.max(this.#units.length * 2, least));
    units.set(this.#units);
    this.#units = units;
  }
}

const FIRST_UNITS = 16_384;
