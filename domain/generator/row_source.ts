import { createCatalog } from "./create_catalog.ts";
import { type EventRow, EventStream } from "./event_stream.ts";
import type { Profile } from "./profile.ts";
import type { RateHistory } from "./rate_history.ts";

/** Few enough that a window's rows die young, which the garbage collector is fast at. */
const ROWS_PER_WINDOW = 4000;

/** The events of a stream of one rate from a time on, as many as asked for at a time. */
export class RowSource {
  private readonly rates: RateHistory;
  private readonly windowMs: number;
  private readonly stream: EventStream;
  private position: number;
  private rest: EventRow[] = [];

  /** @param options `from` in epoch milliseconds. */
  constructor(
    { seed, profile, from, eventsPerMs }: {
      seed: number;
      profile: Profile;
      from: number;
      eventsPerMs: number;
    },
  ) {
    this.rates = [{ from, eventsPerSecond: eventsPerMs * 1000 }];
    this.windowMs = Math.max(1, Math.round(ROWS_PER_WINDOW / eventsPerMs));
    this.position = from;
    const catalog = createCatalog(seed, profile);
    this.stream = new EventStream({ seed, profile, catalog }, this.rates, from);
  }

  /** From one to `most` events. */
  take(most: number): EventRow[] {
    while (this.rest.length === 0) {
      this.position += this.windowMs;
      this.rest = this.stream.read(this.rates, this.position);
    }
    const taken = this.rest.slice(0, most);
    this.rest = this.rest.slice(most);
    return taken;
  }
}
