/** What the name of a generated file says. */
export interface EventFileName {
  /** Time of the feed at the file's end, epoch milliseconds, a whole second. */
  readonly feedTime: number;
  /** From 0, counted up by the generator. */
  readonly sequence: number;
  readonly gzip: boolean;
}

const NAME = /^events-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-(\d{6,15})\.csv(\.gz)?$/;

/**
 * The name of a generated file; names of a generator sort by feed time.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const name = formatFileName({ feedTime: Date.UTC(2024, 0, 1), sequence: 7, gzip: false });
 * assert.equal(name, "events-20240101T000000Z-000007.csv");
 * ```
 */
export function formatFileName({ feedTime, sequence, gzip }: EventFileName): string {
  const second = Math.floor(feedTime / 1000) * 1000;
  const time = new Date(second).toISOString().replaceAll(/[-:]|\.000/g, "");
  return `events-${time}-${String(sequence).padStart(6, "0")}.csv${gzip ? ".gz" : ""}`;
}

/**
 * Reads what {@linkcode formatFileName} wrote.
 *
 * @param name A file name without directories.
 * @returns Its parts, or undefined for any name that is not exactly one of a generated file.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(parseFileName("events-20240101T000000Z-000007.csv")?.sequence, 7);
 * assert.equal(parseFileName("events-20240230T000000Z-000007.csv"), undefined);
 * ```
 */
export function parseFileName(name: string): EventFileName | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second, sequence] = match.slice(1, 8).map(Number);
  const feedTime = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!);
  const parsed = { feedTime, sequence: sequence!, gzip: match[8] !== undefined };
  // Refuses what Date.UTC carries over, as 30 February, and superfluous zeros.
  return formatFileName(parsed) === name ? parsed : undefined;
}
