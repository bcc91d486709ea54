import { type ComparedFigure, compareProfile } from "../domain/generator/compare_profile.ts";
import { createCatalog } from "../domain/generator/create_catalog.ts";
import { type EventRow, EventStream } from "../domain/generator/event_stream.ts";
import { measureProfile } from "../domain/generator/measure_profile.ts";
import type { Profile } from "../domain/generator/profile.ts";
import type { RateHistory } from "../domain/generator/rate_history.ts";
import { REES46 } from "../domain/generator/rees46.ts";

const DAY_MS = 86_400_000;
const DAYS = 28;
/** A Monday; any four weeks do. */
const FROM = Date.UTC(2026, 0, 5);

/**
 * Generates four weeks of events and sets their figures beside those published about real shops.
 *
 * @param options About how many `events`; a million takes some seconds and 500 MB.
 */
export function checkProfile(
  { seed, events, profile = REES46 }: { seed: number; events: number; profile?: Profile },
): ComparedFigure[] {
  const rates: RateHistory = [{ from: FROM, eventsPerSecond: events * 1000 / (DAYS * DAY_MS) }];
  const catalog = createCatalog(seed, profile);
  const stream = new EventStream({ seed, profile, catalog }, rates, FROM);
  function* rows(): Generator<EventRow> {
    for (let time = FROM; time < FROM + DAYS * DAY_MS;) {
      time += DAY_MS / 4;
      yield* stream.read(rates, time);
    }
  }
  return compareProfile(measureProfile(rows()));
}
