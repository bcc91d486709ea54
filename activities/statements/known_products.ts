import type { Codes } from "../../domain/accepted_records.ts";

/** Products as some events describe them, by row. */
export interface Descriptions {
  readonly id: Codes<string>;
  readonly name: Codes<string>;
  readonly category: Codes<string>;
  readonly brand: Codes<string>;
  /** Times of the events, microseconds since 1970. */
  readonly seenAt: ArrayLike<number>;
}

/** What the newest event that described a product said, as codes. */
interface Description {
  readonly name: number;
  readonly category: number;
  readonly brand: number;
  seenAt: number;
}

/** Remembers how products were described, by the codes of batches that share their values. */
export class KnownProducts {
  readonly #shared: readonly (readonly string[])[];
  /** By code of the id. */
  readonly #known = new Map<number, Description>();

  /** @param shared Descriptions of such a batch. */
  constructor(shared: Descriptions) {
    this.#shared = valuesOf(shared);
  }

  /** Whether the codes of other descriptions stand for the same values. */
  canTell(products: Descriptions): boolean {
    return valuesOf(products).every((values, index) => values === this.#shared[index]);
  }

  /** Takes note that an event has seen a product; false when it has to be described anew. */
  see({ id, name, category, brand, seenAt }: Descriptions, row: number): boolean {
    const known = this.#known.get(id.codeOf[row]!);
    if (known === undefined) return false;
    if (seenAt[row]! <= known.seenAt) return true;
    const isSame = name.codeOf[row] === known.name && category.codeOf[row] === known.category &&
      brand.codeOf[row] === known.brand;
    if (isSame) known.seenAt = seenAt[row]!;
    return isSame;
  }

  /** Remembers how an event describes a product, unless a newer one is known. */
  remember({ id, name, category, brand, seenAt }: Descriptions, row: number): void {
    const known = this.#known.get(id.codeOf[row]!);
    if (known !== undefined && seenAt[row]! <= known.seenAt) return;
    this.#known.set(id.codeOf[row]!, {
      name: name.codeOf[row]!,
      category: category.codeOf[row]!,
      brand: brand.codeOf[row]!,
      seenAt: seenAt[row]!,
    });
  }
}

function valuesOf({ id, name, category, brand }: Descriptions) {
  return [id, name, category, brand].map(({ values }) => values);
}
