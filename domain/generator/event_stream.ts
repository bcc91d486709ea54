import { EVENT_TYPES } from "../shop_events.ts";
import type { Catalog } from "./create_catalog.ts";
import { TimeWriter, uuidV4, uuidV7 } from "./event_text.ts";
import { findSessions, type Session } from "./find_sessions.ts";
import { type User, UserDirectory } from "./identify_user.ts";
import { PriceTags } from "./price_tags.ts";
import { Prng, STREAM } from "./prng.ts";
import type { Profile } from "./profile.ts";
import { LONGEST_SESSION_MS, type RateHistory, sameRates } from "./rate_history.ts";
import { SessionWalker } from "./session_walker.ts";

/** One event: its cells in the order of the contract's columns. */
export type EventRow = string[];

/** What every event of a stream depends on. */
export interface Shop {
  /** Any safe integer. */
  seed: number;
  profile: Profile;
  /** Made from the same seed and profile. */
  catalog: Catalog;
}

/** A session under way. */
interface Visit {
  readonly session: Session;
  /** {@linkcode STEP_FIELDS} numbers for each step not over when the visit was let in. */
  readonly steps: readonly number[];
  /** Index of the first of them within the session. */
  readonly first: number;
  /** How many of them have been read. */
  read: number;
  /** Found out when the first event is written: many visits of a new stream never get there. */
  visitor: Visitor | null;
}

/** What all events of a visit have in common. */
interface Visitor {
  readonly user: User;
  readonly device: string;
  readonly sessionId: string;
  readonly orderId: string;
}

/** Numbers for each step of a visit: its time, and {@linkcode packStep}. A list of numbers is a tenth of objects. */
const STEP_FIELDS = 2;
const TYPES = 4;
const MOST_PIECES = 4096;

function packStep(type: number, product: number, quantity: number): number {
  return (product * MOST_PIECES + quantity) * TYPES + type;
}

/** Visits wait in slots of this length for the time of their next step. */
const SLOT_MS = 4000;

/**
 * A stream of events read from some time on, window by window. It keeps the sessions under way, so
 * that a window costs what it contains; dropped and made anew at any time, it goes on with the same
 * events.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCatalog } from "./create_catalog.ts";
 * import { REES46 } from "./rees46.ts";
 *
 * const shop = { seed: 1, profile: REES46, catalog: createCatalog(1, REES46) };
 * const rates = [{ from: 0, eventsPerSecond: 20 }] as const;
 * const noon = Date.UTC(2026, 0, 5, 12);
 * const kept = new EventStream(shop, rates, noon);
 * kept.read(rates, noon + 5_000);
 * const fresh = new EventStream(shop, rates, noon + 5_000);
 * assert.deepEqual(kept.read(rates, noon + 9_000), fresh.read(rates, noon + 9_000));
 * ```
 */
export class EventStream {
  private readonly waiting = new Map<number, Visit[]>();
  private readonly users: UserDirectory;
  private readonly tags: PriceTags;
  private readonly clock = new TimeWriter();
  private readonly prng = new Prng(0);
  private readonly walker: SessionWalker;

  /**
   * @param shop What the stream is of.
   * @param rates The rates of at least the last 2 h before `position`.
   * @param position Where to begin, epoch milliseconds, whole.
   */
  constructor(
    private readonly shop: Shop,
    private rates: RateHistory,
    private position: number,
  ) {
    const { seed, profile, catalog } = shop;
    this.users = new UserDirectory(seed, profile);
    this.tags = new PriceTags(seed, profile, catalog);
    this.walker = new SessionWalker(profile, catalog, this.prng);
    this.admit(position - LONGEST_SESSION_MS, position, position);
  }

  /** Does the stream stand at this time, reached by these rates? Then it need not be made anew. */
  isAt(position: number, rates: RateHistory): boolean {
    return position === this.position &&
      sameRates(rates, this.rates, position - LONGEST_SESSION_MS, position);
  }

  /**
   * Reads on.
   *
   * @param rates As before up to the position; from there on, they may have changed.
   * @param to End of the window, epoch milliseconds, whole; exclusive.
   * @returns Events ordered by time, then event_id.
   */
  read(rates: RateHistory, to: number): EventRow[] {
    const from = this.position;
    this.rates = rates;
    this.position = to;
    this.admit(from, to, from);
    const due: { time: number; read: number; visit: Visit }[] = [];
    for (let slot = Math.floor(from / SLOT_MS); slot * SLOT_MS < to; slot++) {
      const visits = this.waiting.get(slot);
      if (visits === undefined) continue;
      this.waiting.delete(slot);
      for (const visit of visits) {
        for (; visit.read * STEP_FIELDS < visit.steps.length; visit.read++) {
          const time = visit.steps[visit.read * STEP_FIELDS]!;
          if (time >= to) break;
          due.push({ time, read: visit.read, visit });
        }
        this.wait(visit);
      }
    }
    due.sort((one, other) => one.time - other.time);
    const rows = due.map(({ read, visit }) => this.row(read, visit));
    orderWithinMilliseconds(rows, due);
    return rows;
  }

  /** Lets in the sessions that begin in a window; what they did before `activeAt` is over. */
  private admit(from: number, to: number, activeAt: number): void {
    const { shop: { seed, profile }, prng, walker } = this;
    const { types, products, quantities, times } = walker;
    for (const session of findSessions({ seed, profile, rates: this.rates, from, to, activeAt })) {
      const { bucket, layerAndClass, index } = session;
      prng.restart(seed, STREAM.session, bucket, layerAndClass, index);
      walker.walk(session);
      let first = 0;
      while (first < walker.count && times[first]! < activeAt) first++;
      if (first === walker.count) continue;
      const steps: number[] = [];
      for (let step = first; step < walker.count; step++) {
        steps.push(times[step]!, packStep(types[step]!, products[step]!, quantities[step]!));
      }
      this.wait({ session, steps, first, read: 0, visitor: null });
    }
  }

  private wait(visit: Visit): void {
    const at = visit.read * STEP_FIELDS;
    if (at === visit.steps.length) return;
    const slot = Math.floor(visit.steps[at]! / SLOT_MS);
    const visits = this.waiting.get(slot);
    if (visits === undefined) this.waiting.set(slot, [visit]);
    else visits.push(visit);
  }

  private visitor({ bucket, layerAndClass, index, start, demand }: Session): Visitor {
    const { shop: { seed, profile }, prng } = this;
    const user = this.users.find(demand, start);
    prng.restart(seed, STREAM.visit, bucket, layerAndClass, index);
    const usesMain = prng.uniform() < profile.mainDevice;
    const device = usesMain ? user.mainDevice : this.users.drawDevice(prng.uniform());
    return { user, device, sessionId: uuidV4(prng), orderId: uuidV4(prng) };
  }

  private row(read: number, visit: Visit): EventRow {
    const { seed, profile, catalog } = this.shop;
    const { session: { bucket, layerAndClass, index, start }, steps, first } = visit;
    const { user, device, sessionId, orderId } = visit.visitor ??= this.visitor(visit.session);
    const time = steps[read * STEP_FIELDS]!;
    const packed = steps[read * STEP_FIELDS + 1]!;
    const type = EVENT_TYPES[packed % TYPES]!;
    const quantity = Math.floor(packed / TYPES) % MOST_PIECES;
    const product = Math.floor(packed / (TYPES * MOST_PIECES));
    // A sequence of its own, so that an event's id needs none of the session's others.
    this.prng.restart(seed, STREAM.eventIds + first + read, bucket, layerAndClass, index);
    return [
      uuidV7(time, this.prng),
      this.clock.write(time),
      type,
      user.userId,
      sessionId,
      catalog.productIds[product]!,
      catalog.names[product]!,
      catalog.categories[product]!,
      catalog.brands[product]!,
      this.tags.read(product, start),
      profile.currency,
      quantity === 1 ? "1" : String(quantity),
      type === "purchase" ? orderId : "",
      device,
      user.country,
    ];
  }
}

/** Puts rows that are in order of time into order of event_id where times are equal. */
function orderWithinMilliseconds(rows: EventRow[], events: readonly { time: number }[]): void {
  for (let index = 1; index < rows.length; index++) {
    const row = rows[index]!;
    const { time } = events[index]!;
    let place = index;
    while (place > 0 && events[place - 1]!.time === time && rows[place - 1]![0]! > row[0]!) {
      rows[place] = rows[--place]!;
    }
    rows[place] = row;
  }
}
