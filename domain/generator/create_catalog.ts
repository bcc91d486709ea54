import type { Faker } from "@faker-js/faker";
import { faker as sharedFaker } from "@faker-js/faker/locale/en";
import { normalQuantile } from "./normal_quantile.ts";
import { Prng, STREAM } from "./prng.ts";
import type { CategoryProfile, Profile } from "./profile.ts";
import { WeightedChoice } from "./weighted_choice.ts";

/** What the shop sells; the more popular a product, the smaller its index. */
export interface Catalog {
  readonly productIds: readonly string[];
  readonly names: readonly string[];
  readonly categories: readonly string[];
  readonly brands: readonly string[];
  /** Hundredths of the currency's unit, and the same as text of units. */
  readonly cents: readonly number[];
  readonly prices: readonly string[];
  /** Draws a product by popularity. */
  readonly popular: WeightedChoice;
  /** Index into `members` of each product's category. */
  readonly groups: readonly number[];
  /** The products of each category, and how to draw one of them by popularity. */
  readonly members: readonly {
    readonly products: readonly number[];
    readonly popular: WeightedChoice;
  }[];
}

const BRAND_POOL = 160;
/** A prime above any number of products: multiples of a smaller number stay distinct modulo it. */
const ID_MODULUS = 99_999_989;

/**
 * Makes the products of a shop, once; the stream only refers to them.
 *
 * Categories, prices and missing brands are spread over the ranks by a low-discrepancy sequence
 * rather than drawn, so that no seed gets a freak best-seller that bends the shop's figures.
 *
 * @param seed Any safe integer.
 * @param profile The kind of shop.
 * @returns The same catalogue for the same arguments.
 */
export function createCatalog(seed: number, profile: Profile): Catalog {
  const { products, popularity, prices } = profile;
  const prng = new Prng(seed, STREAM.catalog);
  const faker = privateFaker(seed);
  const pool = brandPool(faker);
  const brandChoices = profile.categories.map(({ brands }) => chooseBrands(brands, pool, prng));
  const shares = cumulativeShares(profile.categories);
  const spread = new SpreadSequence(prng);
  const idStep = 1 + prng.below(ID_MODULUS - 1);
  const idOffset = prng.below(ID_MODULUS);

  const weights = new Float64Array(products);
  const catalog = {
    productIds: [] as string[],
    names: [] as string[],
    categories: [] as string[],
    brands: [] as string[],
    cents: [] as number[],
    prices: [] as string[],
    groups: [] as number[],
  };
  const members = profile.categories.map(() => [] as number[]);
  for (let rank = 0; rank < products; rank++) {
    weights[rank] = (rank + 1 + popularity.offset) ** -popularity.decay;
    const [forCategory, forPrice, forBrand] = spread.next();
    const group = shares.findIndex((bound) => forCategory! < bound);
    const category = profile.categories[group]!;
    const { names, popular } = brandChoices[group]!;
    const branded = forBrand! >= profile.unbranded && names.length > 0;
    const brand = branded ? names[popular.pick(prng.uniform())]! : "";
    const price = category.medianPrice * Math.exp(category.priceSpread * normalQuantile(forPrice!));
    members[group]!.push(rank);
    catalog.groups.push(group);
    catalog.productIds.push(String(1_000_000 + (rank * idStep + idOffset) % ID_MODULUS));
    catalog.names.push(
      productName(faker, brand, category.nouns[prng.below(category.nouns.length)]!),
    );
    catalog.categories.push(category.name);
    catalog.brands.push(brand);
    const cents = Math.round(100 * Math.min(Math.max(price, prices.lowest), prices.highest));
    catalog.cents.push(cents);
    catalog.prices.push((cents / 100).toFixed(2));
  }
  return {
    ...catalog,
    popular: new WeightedChoice(weights),
    members: members.map((indexes) => ({
      products: indexes,
      popular: new WeightedChoice(indexes.length > 0 ? indexes.map((rank) => weights[rank]!) : [1]),
    })),
  };
}

/** An instance of its own: the package's one is shared with whoever else seeds it. */
function privateFaker(seed: number): Faker {
  const PrivateFaker = sharedFaker.constructor as typeof Faker;
  const faker = new PrivateFaker({ locale: sharedFaker.rawDefinitions });
  faker.seed([STREAM.faker, seed | 0, Math.floor(seed / 0x1_0000_0000) | 0]);
  return faker;
}

function brandPool(faker: Faker): string[] {
  const names = new Set<string>();
  while (names.size < BRAND_POOL) {
    names.add(names.size % 5 === 0 ? faker.company.name() : faker.person.lastName());
  }
  return [...names];
}

/** Some brands of the pool, the first ones selling most. */
function chooseBrands(count: number, pool: readonly string[], prng: Prng) {
  const names = new Set<string>();
  while (names.size < Math.min(count, pool.length)) names.add(pool[prng.below(pool.length)]!);
  const weights = Array.from({ length: Math.max(count, 1) }, (_, rank) => 1 / (rank + 1));
  return { names: [...names], popular: new WeightedChoice(weights) };
}

function productName(faker: Faker, brand: string, noun: string): string {
  const model = `${faker.string.alpha({ length: 1, casing: "upper" })}${faker.number.int(999)}`;
  const named = `${brand || faker.commerce.productAdjective()} ${noun} ${model}`;
  return faker.number.int(3) > 0 ? `${named}, ${faker.color.human()}` : named;
}

function cumulativeShares(categories: readonly CategoryProfile[]): number[] {
  const total = categories.reduce((sum, { share }) => sum + share, 0);
  let sum = 0;
  return categories.map(({ share }, index) => {
    sum += share / total;
    return index === categories.length - 1 ? 1 : sum;
  });
}

/**
 * Points that fill the unit cube evenly, however many are taken: the additive recurrence R3 (Martin
 * Roberts, "The unreasonable effectiveness of quasirandom sequences", 2018) from a random start.
 */
class SpreadSequence {
  private static readonly ROOT = 1.2207440846057596;
  private readonly steps = [1, 2, 3].map((power) => SpreadSequence.ROOT ** -power);
  private readonly point: number[];

  constructor(prng: Prng) {
    this.point = this.steps.map(() => prng.uniform());
  }

  next(): readonly number[] {
    this.steps.forEach((step, index) => {
      // Never exactly 0, which has no normal quantile.
      this.point[index] = (this.point[index]! + step) % 1 || Number.EPSILON;
    });
    return this.point;
  }
}
