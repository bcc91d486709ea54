import { formatFileName } from "./file_name.ts";
import type { RateHistory } from "./rate_history.ts";

/** One file of a past period. */
export interface HistoryFile {
  readonly name: string;
  /** Window of its events, whole epoch milliseconds, `to` exclusive. */
  readonly from: number;
  readonly to: number;
  /** The same for all files. */
  readonly rates: RateHistory;
}

const WEEK_S = 7 * 86_400;

/**
 * Plans the files of a shop's past: windows of equal length side by side, ending at `endAt`.
 *
 * @param options `endAt` in epoch milliseconds, rounded down to a whole second; how many `weeks` and
 * `files`; and the `events` wished for over all of them. What comes out differs from that by some
 * percent, as traffic does.
 * @returns Oldest first.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const files = historyFiles({ endAt: Date.UTC(2026, 0, 29), weeks: 4, events: 1000, files: 28 });
 * assert.equal(files[0]!.name, "events-20260102T000000Z-000000.csv");
 * assert.equal(files[27]!.to, Date.UTC(2026, 0, 29));
 * ```
 */
export function historyFiles(
  { endAt, weeks, events, files }: { endAt: number; weeks: number; events: number; files: number },
): HistoryFile[] {
  const seconds = weeks * WEEK_S;
  const start = Math.floor(endAt / 1000) - seconds;
  const rates: RateHistory = [{ from: start * 1000, eventsPerSecond: events / seconds }];
  return Array.from({ length: files }, (_, sequence) => {
    const from = 1000 * (start + Math.floor(seconds * sequence / files));
    const to = 1000 * (start + Math.floor(seconds * (sequence + 1) / files));
    return { name: formatFileName({ feedTime: to, sequence, gzip: false }), from, to, rates };
  });
}
