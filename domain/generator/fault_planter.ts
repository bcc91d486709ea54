import { SHOP_EVENTS } from "../shop_events.ts";
import { badValues } from "./bad_values.ts";
import type { EventRow } from "./event_stream.ts";
import {
  DELAYED_KINDS,
  PLANTED_FAULTS,
  type PlantedFault,
  RECORD_FAULT_KINDS,
  type RecordFaultKind,
} from "./fault_kinds.ts";
import type { FaultShares } from "./fault_shares.ts";
import { Prng, STREAM } from "./prng.ts";

/** A record as it will stand in a file, before it becomes bytes. */
export interface PlantedRecord {
  readonly eventId: string;
  /** The event's own time, as in the column event_time. */
  readonly time: string;
  /** In the order of the contract's columns. */
  readonly row: EventRow;
  readonly fault?: Pick<PlantedFault, "kind" | "verdict" | "column"> & { kind: RecordFaultKind };
}

/** A record that is written some time after its event. */
interface Moved {
  /** As in the column event_time. */
  readonly due: string;
  readonly record: PlantedRecord;
}

/**
 * Plants faults in a stream of events, window by window. An event's id decides whether it is at
 * fault, how, and how much later its copy comes, so that windows cut otherwise have the same faults,
 * and a planter made anew goes on alike once it was given the events of the last `longestDelayMs`.
 *
 * Duplicate, conflicting and late events are written when their time has come, be it in a later file.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCatalog } from "./create_catalog.ts";
 * import { generateWindow } from "./generate_window.ts";
 * import { REES46 } from "./rees46.ts";
 *
 * const [seed, from] = [1, Date.UTC(2026, 0, 5, 12)];
 * const rows = generateWindow({
 *   ...{ seed, profile: REES46, catalog: createCatalog(seed, REES46) },
 *   ...{ rates: [{ from, eventsPerSecond: 5 }], from, to: from + 60_000 },
 * });
 * const shares = { duplicate_event: 0.1 };
 * const planter = new FaultPlanter({ seed, shares, longestDelayMs: 10_000 });
 * const records = planter.plant(rows, from + 60_000).concat(planter.flush());
 * const copies = records.filter(({ fault }) => fault?.verdict === "duplicate");
 * assert.equal(records.length, rows.length + copies.length);
 * ```
 */
export class FaultPlanter {
  private readonly prng = new Prng(0);
  private readonly seed: number;
  private readonly shares: FaultShares;
  private readonly longestDelayMs: number;
  private moved: Moved[] = [];

  constructor(
    { seed, shares, longestDelayMs }: {
      seed: number;
      shares: FaultShares;
      longestDelayMs: number;
    },
  ) {
    this.seed = seed;
    this.shares = shares;
    this.longestDelayMs = longestDelayMs;
  }

  /**
   * The records of a window.
   *
   * @param rows Its events: each id once, in order of time, no cell beginning with a quote or a comma.
   * @param to Its end, epoch milliseconds, exclusive.
   */
  plant(rows: readonly EventRow[], to: number): PlantedRecord[] {
    const records: PlantedRecord[] = [];
    for (const row of rows) {
      const [eventId, time] = [row[EVENT_ID]!, row[EVENT_TIME]!];
      const kind = this.draw(eventId);
      if (kind === null) {
        records.push({ eventId, time, row });
        continue;
      }
      const record = this.corrupt(row, kind);
      if (!DELAYED_KINDS.includes(kind)) {
        records.push(record);
        continue;
      }
      const delayMs = this.longestDelayMs * this.prng.uniform() ** 3;
      const due = new Date(Math.floor(Date.parse(time) + delayMs)).toISOString();
      this.moved.push({ due, record });
      if (kind !== "late_event") records.push({ eventId, time, row });
    }
    return merge(records, this.take(new Date(to).toISOString()));
  }

  /** All that is still to be written. */
  flush(): PlantedRecord[] {
    return this.take("~").map(({ record }) => record);
  }

  private take(before: string): Moved[] {
    const due = this.moved.filter((moved) => moved.due < before);
    this.moved = this.moved.filter((moved) => moved.due >= before);
    return due.sort((one, other) =>
      one.due < other.due || (one.due === other.due && one.record.eventId < other.record.eventId)
        ? -1
        : 1
    );
  }

  /** What is wrong with an event, if anything; leaves the sequence of its details to be drawn from. */
  private draw(eventId: string): RecordFaultKind | null {
    // The 62 random bits of a UUIDv7; the time before them says nothing more.
    this.prng.restart(
      this.seed,
      STREAM.faults,
      Number.parseInt(eventId.slice(-12), 16),
      Number.parseInt(eventId.slice(19, 23), 16),
    );
    let mark = this.prng.uniform();
    for (const kind of RECORD_FAULT_KINDS) {
      mark -= this.shares[kind] ?? 0;
      if (mark < 0) return kind;
    }
    return null;
  }

  private corrupt(row: EventRow, kind: RecordFaultKind): PlantedRecord {
    const [eventId, time] = [row[EVENT_ID]!, row[EVENT_TIME]!];
    if (kind === "bad_value") {
      const values = badValues(row[EVENT_TYPE]!);
      const { column, value, code } = values[this.prng.below(values.length)]!;
      const fault = { kind, column, verdict: `rejected:${code}` } as const;
      return { eventId, time, row: row.with(PLACES.get(column)!, value), fault };
    }
    return {
      eventId,
      time,
      row: change(row, kind),
      fault: { kind, verdict: PLANTED_FAULTS[kind].verdict },
    };
  }
}

const PLACES = new Map(SHOP_EVENTS.columns.map(({ name }, place) => [name, place]));
const EVENT_ID = PLACES.get("event_id")!;
const EVENT_TIME = PLACES.get("event_time")!;
const EVENT_TYPE = PLACES.get("event_type")!;
const PRODUCT_NAME = PLACES.get("product_name")!;
const PRICE = PLACES.get("price")!;

/** The cells; what is wrong with the bytes is done when they are written (`faulty_text.ts`). */
function change(row: EventRow, kind: RecordFaultKind): EventRow {
  switch (kind) {
    case "conflicting_event":
      return row.with(PRICE, row[PRICE] === "1.00" ? "2.00" : "1.00");
    case "invalid_utf8":
      return row.with(PRODUCT_NAME, `${row[PRODUCT_NAME]} Café`);
    case "nul_byte":
      return row.with(PRODUCT_NAME, `${row[PRODUCT_NAME]}\0`);
    default:
      return row;
  }
}

/** Puts each moved record behind all whose events are not younger than it is due. */
function merge(records: readonly PlantedRecord[], moved: readonly Moved[]): PlantedRecord[] {
  if (moved.length === 0) return [...records];
  const merged: PlantedRecord[] = [];
  let next = 0;
  for (const { due, record } of moved) {
    while (next < records.length && records[next]!.time <= due) {
      merged.push(records[next++]!);
    }
    merged.push(record);
  }
  return merged.concat(records.slice(next));
}
