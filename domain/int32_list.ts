/** A list of whole numbers of 32 bits, signed, that grows outside of the heap that is searched for garbage. */
export class Int32List {
  length = 0;
  #items: Int32Array;

  /** @param capacity So many have room before it grows. */
  constructor(capacity = FEW) {
    this.#items = new Int32Array(capacity);
  }

  at(index: number): number {
    return this.#items[index]!;
  }

  push(value: number): void {
    if (this.length === this.#items.length) this.#items = doubled(this.#items);
    this.#items[this.length++] = value;
  }

  /** Forgets all but the first ones. */
  truncate(length: number): void {
    this.length = length;
  }

  /** Those of now. */
  items(): Int32Array {
    return this.#items.subarray(0, this.length);
  }

  [Symbol.iterator](): Iterator<number> {
    return this.items()[Symbol.iterator]();
  }
}

const FEW = 32;

function doubled(items: Int32Array): Int32Array {
  const more = new Int32Array(Math.max(FEW, items.length * 2));
  more.set(items);
  return more;
}
