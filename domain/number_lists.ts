/** A list of numbers that grows, outside of the heap that is searched for garbage. */
interface NumberList<Items> extends Iterable<number> {
  readonly length: number;
  at(index: number): number;
  push(value: number): void;
  /** Forgets all but the first ones. */
  truncate(length: number): void;
  /** Those of now. */
  items(): Items;
}

/** Of whole numbers of 32 bits, signed. */
export class Int32List implements NumberList<Int32Array> {
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
    if (this.length === this.#items.length) this.#items = doubled(Int32Array, this.#items);
    this.#items[this.length++] = value;
  }

  truncate(length: number): void {
    this.length = length;
  }

  items(): Int32Array {
    return this.#items.subarray(0, this.length);
  }

  [Symbol.iterator](): Iterator<number> {
    return this.items()[Symbol.iterator]();
  }
}

/** Of any numbers. */
export class Float64List implements NumberList<Float64Array> {
  length = 0;
  #items: Float64Array;

  /** @param capacity So many have room before it grows. */
  constructor(capacity = FEW) {
    this.#items = new Float64Array(capacity);
  }

  at(index: number): number {
    return this.#items[index]!;
  }

  push(value: number): void {
    if (this.length === this.#items.length) this.#items = doubled(Float64Array, this.#items);
    this.#items[this.length++] = value;
  }

  truncate(length: number): void {
    this.length = length;
  }

  items(): Float64Array {
    return this.#items.subarray(0, this.length);
  }

  [Symbol.iterator](): Iterator<number> {
    return this.items()[Symbol.iterator]();
  }
}

const FEW = 32;

function doubled<Items extends Int32Array | Float64Array>(
  constructor: new (length: number) => Items,
  items: Items,
): Items {
  const more = new constructor(Math.max(FEW, items.length * 2));
  more.set(items);
  return more;
}
