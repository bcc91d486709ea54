import { SHOP_EVENTS } from "../shop_events.ts";
import type { EventRow } from "./event_stream.ts";

/** Figures of a shop, as published about real ones; shares are fractions. */
export interface ProfileMeasures {
  events: number;
  sessions: number;
  /** Events of a session. */
  meanSize: number;
  medianSize: number;
  /** Share of sessions by size: 1, 2-5, 6-10, 11-20, 21-50, over 50. */
  sizeShares: number[];
  /** Shares of all sessions. */
  buying: number;
  carting: number;
  /** Share of sessions with a cart that buy nothing. */
  abandoned: number;
  /** Share of buying sessions that never added to a cart. */
  direct: number;
  /** Seconds from first to last event. */
  medianSeconds: number;
  medianBuyingSeconds: number;
  /** Shares of all events but removals. */
  views: number;
  additions: number;
  purchases: number;
  /** Relative to additions. */
  removals: number;
  /** Of an event, in units of the currency. */
  priceQuartiles: number[];
  meanPrice: number;
  brandEmpty: number;
  categoryEmpty: number;
  /** In the whole period. */
  sessionsPerUser: number;
  /** Largest deviation of a weekday's sessions from the mean, peak days aside. */
  weekdaySwing: number;
  /** Hours (UTC) by which a quarter, half and three quarters of a day's events began. */
  hourQuartiles: number[];
  /** Events of the busiest day relative to the mean. */
  busiestDay: number;
  /** Over the first {@linkcode POPULARITY_EVENTS} events. */
  popularitySlope: number;
  topPercent: number;
  topTenPercent: number;
  /** Shares of sessions. */
  desktop: number;
  mobile: number;
  tablet: number;
}

/** Popularity depends on how many events it is measured over; published for this many. */
export const POPULARITY_EVENTS = 17_434;

interface SessionSummary {
  size: number;
  first: number;
  last: number;
  carted: boolean;
  bought: boolean;
}

/**
 * Measures what a shop's events look like.
 *
 * @param rows Events in order of time; whole days, best 28 of them.
 */
export function measureProfile(rows: Iterable<EventRow>): ProfileMeasures {
  const sessions = new Map<string, SessionSummary>();
  const users = new Set<string>();
  const devices = new Counter();
  const types = new Counter();
  const products = new Counter();
  const days = new Counter();
  const sessionDays = new Counter();
  const hours = new Float64Array(24);
  const prices: number[] = [];
  let brandEmpty = 0;
  let categoryEmpty = 0;
  for (const row of rows) {
    const time = Date.parse(row[AT.event_time!]!);
    const type = row[AT.event_type!]!;
    const sessionId = row[AT.session_id!]!;
    let session = sessions.get(sessionId);
    if (session === undefined) {
      session = { size: 0, first: time, last: time, carted: false, bought: false };
      sessions.set(sessionId, session);
      users.add(row[AT.user_id!]!);
      devices.add(row[AT.device!]!);
      sessionDays.add(row[AT.event_time!]!.slice(0, 10));
    }
    session.size++;
    session.last = time;
    session.carted ||= type === "add_to_cart";
    session.bought ||= type === "purchase";
    if (prices.length < POPULARITY_EVENTS) products.add(row[AT.product_id!]!);
    types.add(type);
    days.add(row[AT.event_time!]!.slice(0, 10));
    hours[new Date(time).getUTCHours()]!++;
    prices.push(Number(row[AT.price!]!));
    if (row[AT.brand!] === "") brandEmpty++;
    if (row[AT.category!] === "") categoryEmpty++;
  }

  const events = prices.length;
  const all = [...sessions.values()];
  const share = (of: (session: SessionSummary) => boolean, among = all) =>
    among.filter(of).length / among.length;
  const seconds = (among: SessionSummary[]) =>
    quantile(among.map(({ first, last }) => (last - first) / 1000), 0.5);
  const buyers = all.filter(({ bought }) => bought);
  const shown = events - types.of("remove_from_cart");
  const counts = days.descending();
  return {
    events,
    sessions: all.length,
    meanSize: events / all.length,
    medianSize: quantile(all.map(({ size }) => size), 0.5),
    sizeShares: [[1, 1], [2, 5], [6, 10], [11, 20], [21, 50], [51, Infinity]].map(([low, high]) =>
      share(({ size }) => size >= low! && size <= high!)
    ),
    buying: buyers.length / all.length,
    carting: share(({ carted }) => carted),
    abandoned: share(({ bought }) => !bought, all.filter(({ carted }) => carted)),
    direct: share(({ carted }) => !carted, buyers),
    medianSeconds: seconds(all),
    medianBuyingSeconds: seconds(buyers),
    views: types.of("product_view") / shown,
    additions: types.of("add_to_cart") / shown,
    purchases: types.of("purchase") / shown,
    removals: types.of("remove_from_cart") / types.of("add_to_cart"),
    priceQuartiles: [0.25, 0.5, 0.75].map((probability) => quantile(prices, probability)),
    meanPrice: prices.reduce((sum, price) => sum + price, 0) / events,
    brandEmpty: brandEmpty / events,
    categoryEmpty: categoryEmpty / events,
    sessionsPerUser: all.length / users.size,
    weekdaySwing: weekdaySwing(sessionDays),
    hourQuartiles: [0.25, 0.5, 0.75].map((probability) => hourAt(hours, probability)),
    busiestDay: counts[0]! / (events / counts.length),
    ...popularity(products.descending()),
    desktop: devices.of("desktop") / all.length,
    mobile: devices.of("mobile") / all.length,
    tablet: devices.of("tablet") / all.length,
  };
}

/** Places of the contract's columns, by name. */
const AT: Readonly<Record<string, number>> = Object.fromEntries(
  SHOP_EVENTS.columns.map(({ name }, place) => [name, place]),
);

class Counter {
  readonly counts = new Map<string, number>();

  add(key: string): void {
    this.counts.set(key, this.of(key) + 1);
  }

  of(key: string): number {
    return this.counts.get(key) ?? 0;
  }

  descending(): number[] {
    return [...this.counts.values()].sort((one, other) => other - one);
  }
}

function quantile(values: readonly number[], probability: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(probability * (sorted.length - 1))]!;
}

/** A day much busier than the median one says nothing about its weekday. */
const PEAK = 1.4;

function weekdaySwing(days: Counter): number {
  const median = quantile(days.descending(), 0.5);
  const usual = [...days.counts].filter(([, count]) => count < PEAK * median && count > median / 2);
  const mean = (entries: [string, number][]) =>
    entries.reduce((sum, [, count]) => sum + count, 0) / entries.length;
  const ofWeekdays = Array.from(
    { length: 7 },
    (_, weekday) => mean(usual.filter(([day]) => new Date(day).getUTCDay() === weekday)),
  );
  const overall = ofWeekdays.reduce((sum, count) => sum + count, 0) / 7;
  return Math.max(...ofWeekdays.map((count) => Math.abs(count / overall - 1)));
}

function hourAt(hours: Float64Array, probability: number): number {
  let left = probability * hours.reduce((sum, count) => sum + count, 0);
  return hours.findIndex((count) => (left -= count) < 0);
}

/** How much the best-sellers get, and the slope of log count over log rank, ranks 1 to 1000. */
function popularity(counts: readonly number[]) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const top = (share: number) =>
    counts.slice(0, Math.round(share * counts.length)).reduce((sum, count) => sum + count, 0) /
    total;
  const points = counts.slice(0, 1000).map((
    count,
    index,
  ) => [Math.log(index + 1), Math.log(count)]);
  const mean = (axis: number) =>
    points.reduce((sum, point) => sum + point[axis]!, 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  let covariance = 0;
  let variance = 0;
  for (const [x, y] of points) {
    covariance += (x! - meanX) * (y! - meanY);
    variance += (x! - meanX) ** 2;
  }
  return {
    popularitySlope: covariance / variance,
    topPercent: top(0.01),
    topTenPercent: top(0.1),
  };
}
