import { Buffer } from "node:buffer";
import type { EventRow } from "./event_stream.ts";
import { type PlantedFault, RECORD_FAULT_KINDS, type RecordFaultKind } from "./fault_kinds.ts";
import { FaultPlanter } from "./fault_planter.ts";
import { evenShares } from "./fault_shares.ts";
import { FaultyText } from "./faulty_text.ts";
import { type HeaderDrift, NO_DRIFT } from "./header_drift.ts";

/** A file with faults, and all that must come of it. */
export interface FaultyFile {
  /** CSV with header. */
  bytes: Uint8Array<ArrayBuffer>;
  /** In the order of the file; all of records. */
  truth: (PlantedFault & { line: number; eventId: string })[];
  /** Records without the header, and what becomes of them. */
  expected: { records: number; loaded: number; duplicates: number; rejected: number };
}

const LONGEST_DELAY_MS = 60_000;

/**
 * Writes events as one CSV file in which some are at fault, and says what must come of each.
 *
 * @param options `rows`: events that the contract takes, each id once, no cell beginning with a quote
 * or a comma. About `share` of them get a fault, 0 to 1, each of `kinds` (all of records by default)
 * as often. `drift`: how the header differs from the contract's.
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
  { rows, seed, share, kinds = RECORD_FAULT_KINDS, drift = NO_DRIFT }: {
    rows: readonly EventRow[];
    seed: number;
    share: number;
    kinds?: readonly RecordFaultKind[];
    drift?: HeaderDrift;
  },
): FaultyFile {
  const shares = evenShares(share, kinds);
  const planter = new FaultPlanter({ seed, shares, longestDelayMs: LONGEST_DELAY_MS });
  const records = [...planter.plant(rows, FAR), ...planter.flush()];
  const text = new FaultyText("", drift);
  const bytes = Buffer.concat([text.header(), text.write(records)]);
  const truth = text.truth as FaultyFile["truth"];
  const duplicates = truth.filter(({ verdict }) => verdict === "duplicate").length;
  const rejected = truth.filter(({ verdict }) => verdict.startsWith("rejected:")).length;
  const loaded = records.length - duplicates - rejected;
  return {
    bytes: new Uint8Array(bytes),
    truth,
    expected: { records: records.length, loaded, duplicates, rejected },
  };
}

/** Behind the time of any event. */
const FAR = Date.UTC(9999, 0, 1);
