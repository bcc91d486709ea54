import type { Catalog } from "./create_catalog.ts";
import { Prng, STREAM } from "./prng.ts";
import type { Profile } from "./profile.ts";

const WEEK_MS = 7 * 86_400_000;

/** What products cost at a time: the catalogue's price, less in the odd week of promotion. */
export class PriceTags {
  private readonly prng = new Prng(0);

  constructor(
    private readonly seed: number,
    private readonly profile: Profile,
    private readonly catalog: Catalog,
  ) {}

  /** The price of a product, as text, in the week (of 7 days from 1970) that a time is in. */
  read(product: number, time: number): string {
    const { prng } = this;
    prng.restart(this.seed, STREAM.priceChange, product, Math.floor(time / WEEK_MS));
    if (prng.uniform() >= this.profile.promotions) return this.catalog.prices[product]!;
    const discount = 0.05 * (1 + prng.below(6));
    return (Math.ceil(this.catalog.cents[product]! * (1 - discount)) / 100).toFixed(2);
  }
}
