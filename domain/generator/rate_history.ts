/** From `from` (epoch milliseconds) on, this many events a second, averaged over a week. */
export interface RateChange {
  readonly from: number;
  readonly eventsPerSecond: number;
}

/**
 * The rates of a stream, oldest first. The first one also holds for all time before it, so that a
 * stream starts with sessions already under way and that old entries can be dropped.
 */
export type RateHistory = readonly [RateChange, ...RateChange[]];

/** The rate at a time (epoch milliseconds). */
export function rateAt(rates: RateHistory, time: number): number {
  let index = rates.length - 1;
  while (index > 0 && rates[index]!.from > time) index--;
  return rates[index]!.eventsPerSecond;
}

/** The highest rate in a window, `to` exclusive. */
export function highestRate(rates: RateHistory, from: number, to: number): number {
  let highest = rateAt(rates, from);
  for (const change of rates) {
    if (change.from > from && change.from < to) highest = Math.max(highest, change.eventsPerSecond);
  }
  return highest;
}

/** Do two histories agree on a window, `to` exclusive? */
export function sameRates(one: RateHistory, other: RateHistory, from: number, to: number): boolean {
  const changes = [...one, ...other].map((change) => change.from);
  return [from, ...changes.filter((time) => time > from && time < to)]
    .every((time) => rateAt(one, time) === rateAt(other, time));
}

/** No session lasts longer, in milliseconds: how far back a window's events can have begun. */
export const LONGEST_SESSION_MS = 2 * 60 * 60 * 1000;

/**
 * Drops the rates that no window from `from` on can depend on: the last 2 h decide.
 *
 * @param rates The history.
 * @param from Start of the next window, epoch milliseconds.
 * @returns A history that gives the same events from `from` on.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const hour = 3_600_000;
 * const rates: RateHistory = [
 *   { from: 0, eventsPerSecond: 5 },
 *   { from: hour, eventsPerSecond: 6 },
 *   { from: 4 * hour, eventsPerSecond: 7 },
 * ];
 * assert.deepEqual(trimRates(rates, 5 * hour), rates.slice(1));
 * ```
 */
export function trimRates(rates: RateHistory, from: number): RateHistory {
  let first = rates.length - 1;
  while (first > 0 && rates[first]!.from > from - LONGEST_SESSION_MS) first--;
  const [oldest, ...later] = rates.slice(first);
  return [oldest!, ...later];
}
