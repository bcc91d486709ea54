import { createCatalog } from "../domain/generator/create_catalog.ts";
import { generateWindow } from "../domain/generator/generate_window.ts";
import { REES46 } from "../domain/generator/rees46.ts";
import { EVENT_HEADER, writeEvents } from "../domain/generator/write_events.ts";

const CATALOG = createCatalog(1, REES46);
const START = Date.UTC(2026, 0, 5, 12);
const EVENTS_PER_SECOND = 200;

/**
 * A file of exactly so many valid events, with header; other seeds have other events.
 *
 * @param options.from Position of the first event within the stream of the seed.
 */
export function eventLines(
  { seed, rows, from = 0 }: { seed: number; rows: number; from?: number },
): string {
  return EVENT_HEADER + writeEvents(eventRows({ seed, rows, from }));
}

/** The same as rows of cells in the order of the contract's columns. */
export function eventRows({ seed, rows, from = 0 }: { seed: number; rows: number; from?: number }) {
  for (let seconds = 60;; seconds *= 2) {
    const events = generateWindow({
      seed,
      profile: REES46,
      catalog: CATALOG,
      rates: [{ from: 0, eventsPerSecond: EVENTS_PER_SECOND }],
      from: START,
      to: START + seconds * 1000,
    });
    if (events.length >= from + rows) return events.slice(from, from + rows);
  }
}
