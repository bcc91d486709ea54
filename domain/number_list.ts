/** A list of numbers that grows outside of the heap that is searched for garbage. */
abstract class NumberList<Memory extends Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>> {
  length = 0;
  #items: Memory;

  /** @param memory To begin with. */
  constructor(memory: Memory) {
    this.#items = memory;
  }

  at(index: number): number {
    return this.#items[index]!;
  }

  push(value: number): void {
    if (this.length === this.#items.length) this.#grow();
    this.#items[this.length++] = value;
  }

  /** Forgets all but the first ones. */
  truncate(length: number): void {
    this.length = length;
  }

  /** Those of now. */
  items(): Memory {
    return this.#items.subarray(0, this.length) as Memory;
  }

  /** Gives the memory back. The list is not to be used again. */
  free(): void {
    this.length = 0;
    freeMemory(this.#items);
  }

  [Symbol.iterator](): Iterator<number> {
    return this.items()[Symbol.iterator]();
  }

  #grow(): void {
    const more = this.allocate(Math.max(FEW, this.#items.length * 2));
    more.set(this.#items);
    this.#items = more;
  }

  protected abstract allocate(length: number): Memory;
}

const FEW = 32;

/** Whole numbers of 32 bits, signed. */
export class Int32List extends NumberList<Int32Array<ArrayBuffer>> {
  /** @param capacity So many have room before it grows. */
  constructor(capacity = FEW) {
    super(new Int32Array(capacity));
  }

  protected override allocate(length: number): Int32Array<ArrayBuffer> {
    return new Int32Array(length);
  }
}

/** Any numbers. */
export class Float64List extends NumberList<Float64Array<ArrayBuffer>> {
  /** @param capacity So many have room before it grows. */
  constructor(capacity = FEW) {
    super(new Float64Array(capacity));
  }

  protected override allocate(length: number): Float64Array<ArrayBuffer> {
    return new Float64Array(length);
  }
}

/** The same numbers in memory with room for more. */
export function grown(numbers: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const more = new Int32Array(length);
  more.set(numbers);
  return more;
}

/**
 * Gives memory back at once, which nobody will read any more. Else V8 finds out by a search of its whole heap, and the
 * more often the more memory lies outside of it.
 */
export function freeMemory({ buffer }: { readonly buffer: ArrayBuffer }): void {
  buffer.transfer(0);
}
