import type { Stage } from "../stage.ts";

/** What grows. */
export type GrowthSeries = "rows" | "files" | "rejects" | "duplicates";

/** What a point of a curve is measured with. */
export interface GrowthRun {
  readonly series: GrowthSeries;
  /** Rows, files, or a share from 0 to 1. */
  readonly x: number;
  /** Loaded before the time begins. */
  readonly before?: string;
  readonly paths: readonly string[];
  readonly expected: GrowthCounts;
}

/** What the ledger must say afterwards. */
export interface GrowthCounts {
  readonly records: number;
  readonly duplicates: number;
  readonly rejected: number;
}

const ROWS_PER_SMALL_FILE = 100;
const POWERS = [0.01, 0.1, 1, 10];
const SHARES = [0, 0.01, 0.1, 0.5, 1];
/** Of a large file: shares say as much about a smaller one. */
const SHARE_OF_LARGE = 0.2;

/**
 * The points of all curves, in their order.
 *
 * @param records With a million: 10^4 to 10^7 rows, 10 to 10^4 files of 100 rows, shares of 200,000 records.
 */
export async function* planGrowth(
  { inputs }: Stage,
  records: number,
): AsyncGenerator<GrowthRun> {
  for (const power of POWERS) {
    const rows = Math.ceil(records * power);
    const paths = await inputs.events({ rows });
    yield {
      series: "rows",
      x: rows,
      paths,
      expected: { records: rows, duplicates: 0, rejected: 0 },
    };
  }
  for (const power of POWERS) {
    const files = Math.ceil(records * power / 1_000);
    const paths = await inputs.small({ files, rows: ROWS_PER_SMALL_FILE });
    const expected = { records: files * ROWS_PER_SMALL_FILE, duplicates: 0, rejected: 0 };
    yield { series: "files", x: files, paths, expected };
  }
  const rows = Math.ceil(records * SHARE_OF_LARGE);
  const [sound] = await inputs.events({ rows });
  for (const share of SHARES) {
    const rejected = Math.floor(rows * share);
    const paths = [await inputs.withRejects(sound!, share)];
    yield {
      series: "rejects",
      x: share,
      paths,
      expected: { records: rows, duplicates: 0, rejected },
    };
  }
  for (const share of SHARES) {
    const duplicates = rows - Math.floor(rows * (1 - share));
    const paths = [await inputs.withDuplicates(sound!, share)];
    const expected = { records: rows, duplicates, rejected: 0 };
    yield { series: "duplicates", x: share, before: sound!, paths, expected };
  }
}
