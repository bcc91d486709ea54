import type { Codes } from "../../domain/accepted_records.ts";
import { grown } from "../../domain/number_list.ts";

/** Products as some events describe them, by row. */
export interface Descriptions {
  readonly id: Codes<string>;
  readonly name: Codes<string>;
  readonly category: Codes<string>;
  readonly brand: Codes<string>;
  /** Times of the events, microseconds since 1970. */
  readonly seenAt: ArrayLike<number>;
}

/** Remembers how products were described, by the codes of batches that share their values. */
export class KnownProducts {
  readonly #shared: readonly (readonly string[])[];
  /** By code of the id, of the newest event that described it so: its time, `NEVER` when there is none, and codes. */
  #seenAt = new Float64Array();
  #names = new Int32Array();
  #categories = new Int32Array();
  #brands = new Int32Array();

  /** @param shared Descriptions of such a batch. */
  constructor(shared: Descriptions) {
    this.#shared = valuesOf(shared);
  }

  /** Whether the codes of other descriptions stand for the same values. */
  canTell(products: Descriptions): boolean {
    return valuesOf(products).every((values, index) => values === this.#shared[index]);
  }

  /**
   * Takes note that events have seen products. Takes as long as there are events, not as products are known.
   *
   * @returns Of each product that has to be described anew the row of its newest event, the first of several: no other
   *   one has a say.
   */
  see(products: Descriptions): number[] {
    const { id: { codeOf, values }, seenAt } = products;
    this.#makeRoom(values.length);
    const changed = new Map<number, number>();
    for (let row = 0; row < codeOf.length; row++) {
      const id = codeOf[row]!;
      if (seenAt[row]! <= this.#seenAt[id]!) continue;
      const other = changed.size === 0 ? undefined : changed.get(id);
      if (other !== undefined && seenAt[row]! <= seenAt[other]!) continue;
      if (this.#isKnown(products, row)) {
        this.#seenAt[id] = seenAt[row]!;
        changed.delete(id);
      } else {
        changed.set(id, row);
      }
    }
    return [...changed.values()];
  }

  /** Remembers how an event describes a product, unless a newer one is known. */
  remember({ id, name, category, brand, seenAt }: Descriptions, row: number): void {
    this.#makeRoom(id.values.length);
    const code = id.codeOf[row]!;
    if (seenAt[row]! <= this.#seenAt[code]!) return;
    this.#seenAt[code] = seenAt[row]!;
    this.#names[code] = name.codeOf[row]!;
    this.#categories[code] = category.codeOf[row]!;
    this.#brands[code] = brand.codeOf[row]!;
  }

  #isKnown({ id, name, category, brand }: Descriptions, row: number): boolean {
    const code = id.codeOf[row]!;
    return this.#seenAt[code] !== NEVER && name.codeOf[row] === this.#names[code] &&
      category.codeOf[row] === this.#categories[code] && brand.codeOf[row] === this.#brands[code];
  }

  #makeRoom(ids: number): void {
    const { length } = this.#seenAt;
    if (ids <= length) return;
    const more = Math.max(ids, 2 * length);
    const seenAt = new Float64Array(more).fill(NEVER, length);
    seenAt.set(this.#seenAt);
    this.#seenAt = seenAt;
    this.#names = grown(this.#names, more);
    this.#categories = grown(this.#categories, more);
    this.#brands = grown(this.#brands, more);
  }
}

/** Before all events. */
const NEVER = -Infinity;

function valuesOf({ id, name, category, brand }: Descriptions) {
  return [id, name, category, brand].map(({ values }) => values);
}
