import type { Sql } from "../database.ts";

/** Months that this process has seen a partition for, by pool. */
const knownMonths = new WeakMap<Sql, Set<string>>();

/**
 * Makes sure, in transactions of its own, that `shop.events` has a partition for every month of some events. Months
 * seen before cost nothing.
 *
 * @param sql Pool of the ingest role.
 * @param eventMicros Microseconds since 1970.
 */
export async function ensureMonths(sql: Sql, eventMicros: ArrayLike<number>): Promise<void> {
  let known = knownMonths.get(sql);
  if (known === undefined) knownMonths.set(sql, known = new Set());
  for (const month of monthsOf(eventMicros)) {
    if (known.has(month)) continue;
    await sql`select shop.ensure_month(${month}::date)`;
    known.add(month);
  }
}

/** Forgets what was seen: a month may have been dropped meanwhile. */
export function forgetMonths(sql: Sql): void {
  knownMonths.delete(sql);
}

function monthsOf(eventMicros: ArrayLike<number>): Set<string> {
  const months = new Set<string>();
  // Neighbours mostly share a month, so the borders of the last one seen answer for nearly all.
  let start = 0;
  let end = 0;
  for (let row = 0; row < eventMicros.length; row++) {
    const micros = eventMicros[row]!;
    if (micros >= start && micros < end) continue;
    const date = new Date(micros / 1000);
    const month = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
    start = month * 1000;
    end = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) * 1000;
    months.add(new Date(month).toISOString().slice(0, 10));
  }
  return months;
}
