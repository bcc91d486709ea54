/** A value and how often it is drawn, relative to the others of its list. */
export interface Weighted<Value> {
  readonly value: Value;
  readonly weight: number;
}

/** Sessions of about one size, which behave alike. */
export interface SessionClass {
  /** Events of the smallest and of the largest session. */
  readonly smallest: number;
  readonly largest: number;
  /** Share of all sessions; the shares add up to 1. */
  readonly share: number;
  /** A session of n events has a weight of n to the power of minus this, within its class. */
  readonly decay: number;
  /** No session of the class lasts longer; at most 2 h. */
  readonly longestMs: number;
  /** Probability that the session puts something into the cart. */
  readonly cart: number;
  /** Probability that a session with a cart buys. */
  readonly buyFromCart: number;
  /** Probability that the session buys without a cart event. */
  readonly buyDirectly: number;
}

/** A category of products. */
export interface CategoryProfile {
  /** As written in the column `category`; "" for products whose category was left out. */
  readonly name: string;
  /** Share of the shop's traffic, relative to the other categories. */
  readonly share: number;
  /** Prices are log-normal: their median, in units of the currency, and sigma of the logarithm. */
  readonly medianPrice: number;
  readonly priceSpread: number;
  /** What a product of it is called. */
  readonly nouns: readonly string[];
  /** Number of brands; 0 for none. */
  readonly brands: number;
}

/** Everything that makes one shop different from another; a value, so that anyone can describe theirs. */
export interface Profile {
  readonly name: string;
  readonly currency: string;
  /** Products on sale. */
  readonly products: number;
  /** The weight of the product of rank r is (r + offset) to the power of minus decay. */
  readonly popularity: { readonly offset: number; readonly decay: number };
  readonly categories: readonly CategoryProfile[];
  /** Share of the traffic that goes to products without a brand. */
  readonly unbranded: number;
  /** No product costs less or more, in units of the currency. */
  readonly prices: { readonly lowest: number; readonly highest: number };
  /** Share of products that are on promotion in a given week. */
  readonly promotions: number;
  readonly sessions: readonly SessionClass[];
  /** Median duration of a session of n events: `medianMs` × (n - 1) ^ `growth`, spread log-normally. */
  readonly duration: {
    readonly medianMs: number;
    readonly growth: number;
    readonly spread: number;
  };
  /** The cart of sessions that have one. */
  readonly cart: {
    /** Probability that after one addition another follows. */
    readonly addMore: number;
    /** Probability that an addition is taken back. */
    readonly takeBack: number;
    /** Probability that one piece more is added. */
    readonly anotherPiece: number;
  };
  /** Probability that a view shows something already seen, or another product of the category. */
  readonly browsing: { readonly seenAgain: number; readonly sameCategory: number };
  /** Traffic by hour of the day (UTC, 24 numbers) and weekday (Sunday first, 7 numbers), relative. */
  readonly hours: readonly number[];
  readonly weekdays: readonly number[];
  /** Days of much more traffic: how likely a day is one, and the range of its factor. */
  readonly peaks: {
    readonly probability: number;
    readonly lowest: number;
    readonly highest: number;
  };
  readonly users: {
    /** Sessions in 28 days of a user who stays all the time. */
    readonly sessions28d: number;
    /** How long a user stays: the median in days and sigma of the logarithm. */
    readonly stayDays: number;
    readonly staySpread: number;
  };
  readonly devices: readonly Weighted<"desktop" | "mobile" | "tablet">[];
  /** Probability that a session is on the device that its user mostly uses. */
  readonly mainDevice: number;
  readonly countries: readonly Weighted<string>[];
}

/** Events of a session on average. */
export function meanSessionEvents(profile: Profile): number {
  let mean = 0;
  for (const sessionClass of profile.sessions) {
    const weights = sizeWeights(sessionClass);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    weights.forEach((weight, index) => {
      mean += sessionClass.share * weight / total * (sessionClass.smallest + index);
    });
  }
  return mean;
}

/** How often each size from `smallest` to `largest` is drawn, relative to the others. */
export function sizeWeights({ smallest, largest, decay }: SessionClass): number[] {
  return Array.from({ length: largest - smallest + 1 }, (_, index) => (smallest + index) ** -decay);
}
