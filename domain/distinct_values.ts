import { Buffer } from "node:buffer";

/**
 * The values of a column, each once and told by its number, the code. Chunks share them, and only add to them: what was
 * made of a value need not be made again.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const distinct = new DistinctValues();
 * assert.deepEqual(["a", null, "a"].map((value) => distinct.toCode(value)), [0, 1, 0]);
 * assert.deepEqual(distinct.values, ["a", null]);
 * ```
 */
export class DistinctValues {
  readonly #values: (string | null)[] = [];
  /** Code by value; null as long as only values came that were known to be new. */
  #codes: Map<string | null, number> | null = null;

  /** By their code. */
  get values(): readonly (string | null)[] {
    return this.#values;
  }

  /** The code of a value, which is added if it is new. */
  toCode(value: string | null): number {
    this.#codes ??= new Map(this.#values.map((known, code) => [known, code]));
    return this.#codes.get(value) ?? this.#add(value === null ? null : copyOf(value));
  }

  /** The same for a value in memory of its own that, unless {@linkcode toCode} was ever asked, is known to be new. */
  toNewCode(value: string): number {
    return this.#codes?.get(value) ?? this.#add(value);
  }

  #add(value: string | null): number {
    const code = this.#values.push(value) - 1;
    this.#codes?.set(value, code);
    return code;
  }
}

/** A text may be cut from that of a record, and would keep all of it in memory. */
function copyOf(text: string): string {
  return Buffer.from(text).toString();
}
