import { type EventRow, EventStream, type Shop } from "./event_stream.ts";
import type { RateHistory } from "./rate_history.ts";

/**
 * The events of a window of time: a pure function of its arguments. Windows side by side give
 * together what one window over all of them gives, in whatever order or process each is generated.
 *
 * @param options The shop; the rates; and the window in whole epoch milliseconds, `to` exclusive.
 * @returns Events ordered by time, then event_id.
 *
 * @example A minute of a shop with 20 events a second
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCatalog } from "./create_catalog.ts";
 * import { REES46 } from "./rees46.ts";
 *
 * const shop = { seed: 1, profile: REES46, catalog: createCatalog(1, REES46) };
 * const rates = [{ from: 0, eventsPerSecond: 20 }] as const;
 * const noon = Date.UTC(2026, 0, 5, 12);
 * const minute = generateWindow({ ...shop, rates, from: noon, to: noon + 60_000 });
 * assert.ok(minute.length > 600);
 * ```
 */
export function generateWindow(
  { rates, from, to, ...shop }: Shop & { rates: RateHistory; from: number; to: number },
): EventRow[] {
  return new EventStream(shop, rates, from).read(rates, to);
}
