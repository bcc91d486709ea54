import { Buffer } from "node:buffer";
import type { RecordFaultCode } from "../faults.ts";
import { SHOP_EVENTS } from "../shop_events.ts";
import { badValues } from "./bad_values.ts";
import type { EventRow } from "./event_stream.ts";
import { Prng, STREAM } from "./prng.ts";
import { EVENT_HEADER, writeEvents } from "./write_events.ts";

/** What can be wrong with a record of an otherwise good file. */
export const FAULT_KINDS = [
  "duplicate_event",
  "conflicting_event",
  "late_event",
  "bad_value",
  "missing_column",
  "extra_column",
  "broken_quote",
  "invalid_utf8",
  "nul_byte",
] as const;

/** One of {@linkcode FAULT_KINDS}. */
export type FaultKind = typeof FAULT_KINDS[number];

/** What the pipeline must make of a record. */
export type Verdict = "loaded" | "duplicate" | `rejected:${RecordFaultCode}`;

/** One planted fault. */
export interface PlantedFault {
  /** Physical line; the header is line 1. */
  line: number;
  kind: FaultKind;
  /**
   * Of a duplicate or conflicting event, which stands in the file twice: one of the two lines is
   * loaded and one has this verdict, but which is not promised.
   */
  verdict: Verdict;
  /** The event's id, also where the file's is broken. */
  eventId: string;
  /** The column with the bad value. */
  column?: string;
}

/** A file with faults, and all that must come of it. */
export interface FaultyFile {
  /** CSV with header. */
  bytes: Uint8Array<ArrayBuffer>;
  /** In the order of the file. */
  truth: PlantedFault[];
  /** Records without the header, and what becomes of them. */
  expected: { records: number; loaded: number; duplicates: number; rejected: number };
}

/** A record as it will be written, with its line end. */
interface Written {
  eventId: string;
  bytes: Buffer;
  fault?: Omit<PlantedFault, "line" | "eventId">;
}

/**
 * Writes events as a CSV file in which some are at fault, and says what must come of each.
 *
 * @param options `rows`: events that the contract takes, each id once, no cell beginning with a quote
 * or a comma. `share` of them get a fault, 0 to 1; the `kinds` (all by default) take turns, and within
 * `bad_value` the bad values. Duplicate and conflicting events are added behind the original, a late
 * one stands behind events that are younger, and all others are changed in place.
 * @returns The same file for the same arguments.
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
 * const { truth, expected } = plantFaults({ rows, seed, share: 0.1, kinds: ["duplicate_event"] });
 * assert.equal(expected.duplicates, truth.length);
 * assert.equal(expected.loaded, rows.length);
 * ```
 */
export function plantFaults(
  { rows, seed, share, kinds = FAULT_KINDS }: {
    rows: readonly EventRow[];
    seed: number;
    share: number;
    kinds?: readonly FaultKind[];
  },
): FaultyFile {
  const prng = new Prng(seed, STREAM.faults);
  const records: Written[][] = rows.map((row) => [write(row, row)]);
  drawDistinct(Math.round(share * rows.length), rows.length, prng).forEach((index, turn) => {
    const kind = kinds[turn % kinds.length]!;
    const faulty = corrupt(rows[index]!, kind, Math.floor(turn / kinds.length));
    const elsewhere = index + prng.below(rows.length - index);
    if (!MOVED.includes(kind)) records[index]![0] = faulty;
    else records[elsewhere]!.push(faulty);
    if (kind === "late_event") records[index]!.shift();
  });
  return assemble(records.flat());
}

/** Kinds that stand somewhere behind the event's own place. */
const MOVED: readonly FaultKind[] = ["duplicate_event", "conflicting_event", "late_event"];

/** `count` different numbers below `below`, in random order (Fisher-Yates). */
function drawDistinct(count: number, below: number, prng: Prng): number[] {
  const numbers = Array.from({ length: below }, (_, index) => index);
  for (let index = 0; index < count; index++) {
    const other = index + prng.below(below - index);
    [numbers[index], numbers[other]] = [numbers[other]!, numbers[index]!];
  }
  return numbers.slice(0, count);
}

const PLACES = new Map(SHOP_EVENTS.columns.map(({ name }, place) => [name, place]));
const EVENT_ID = PLACES.get("event_id")!;
const EVENT_TYPE = PLACES.get("event_type")!;
const PRODUCT_NAME = PLACES.get("product_name")!;
const PRICE = PLACES.get("price")!;
const DEVICE = PLACES.get("device")!;
const LF = 10;

/** The event at fault; `turn` counts the events of this kind. */
function corrupt(row: EventRow, kind: FaultKind, turn: number): Written {
  switch (kind) {
    case "duplicate_event":
      return write(row, row, { kind, verdict: "duplicate" });
    case "late_event":
      return write(row, row, { kind, verdict: "loaded" });
    case "conflicting_event": {
      const price = row[PRICE] === "1.00" ? "2.00" : "1.00";
      return write(row, row.with(PRICE, price), {
        kind,
        verdict: "rejected:conflicting_event",
      });
    }
    case "bad_value": {
      const values = badValues(row[EVENT_TYPE]!);
      const { column, value, code } = values[turn % values.length]!;
      const verdict = `rejected:${code}` as const;
      return write(row, row.with(PLACES.get(column)!, value), { kind, column, verdict });
    }
    case "missing_column":
      return write(row, row.slice(0, -1), { kind, verdict: "rejected:wrong_column_count" });
    case "extra_column":
      return write(row, [...row, "extra"], { kind, verdict: "rejected:wrong_column_count" });
    case "broken_quote": {
      const record = write(row, row, { kind, verdict: "rejected:broken_quote" });
      // Behind all cells that may be quoted themselves.
      const at = record.bytes.lastIndexOf(`,${row[DEVICE]},`) + 1;
      const { bytes } = record;
      return {
        ...record,
        bytes: Buffer.concat([bytes.subarray(0, at), QUOTE, bytes.subarray(at)]),
      };
    }
    case "invalid_utf8": {
      const changed = row.with(PRODUCT_NAME, `${row[PRODUCT_NAME]} Café`);
      const record = write(row, changed, { kind, verdict: "rejected:invalid_utf8" });
      return { ...record, bytes: Buffer.from(record.bytes.toString(), "latin1") };
    }
    case "nul_byte": {
      const changed = row.with(PRODUCT_NAME, `${row[PRODUCT_NAME]}\0`);
      return write(row, changed, { kind, verdict: "rejected:nul_byte" });
    }
  }
}

const QUOTE = Buffer.from('"');

function write(original: EventRow, row: EventRow, fault?: Written["fault"]): Written {
  const bytes = Buffer.from(writeEvents([row]));
  const eventId = original[EVENT_ID]!;
  return fault === undefined ? { eventId, bytes } : { eventId, bytes, fault };
}

function assemble(records: readonly Written[]): FaultyFile {
  const truth: PlantedFault[] = [];
  let line = 2;
  let duplicates = 0;
  let rejected = 0;
  for (const { eventId, bytes, fault } of records) {
    if (fault !== undefined) truth.push({ line, ...fault, eventId });
    if (fault?.verdict === "duplicate") duplicates++;
    if (fault?.verdict.startsWith("rejected:")) rejected++;
    for (const byte of bytes) if (byte === LF) line++;
  }
  return {
    bytes: new Uint8Array(
      Buffer.concat([Buffer.from(EVENT_HEADER), ...records.map(({ bytes }) => bytes)]),
    ),
    truth,
    expected: {
      records: records.length,
      loaded: records.length - duplicates - rejected,
      duplicates,
      rejected,
    },
  };
}
