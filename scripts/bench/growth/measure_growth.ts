import { deepEqual } from "node:assert/strict";
import { countOf } from "../../cli/numbers.ts";
import { loadFiles } from "../load_files.ts";
import type { Stage } from "../stage.ts";
import type { Amount } from "../target.ts";
import { type GrowthCounts, type GrowthRun, type GrowthSeries, planGrowth } from "./plan_growth.ts";
import { renderX } from "./render_growth.ts";

/** One point of a curve. */
export interface GrowthPoint {
  readonly series: GrowthSeries;
  readonly x: number;
  /** Whatever became of them. */
  readonly records: number;
  /** Until all is archived and all can be queried. */
  readonly seconds: number;
}

/** Measures how the time of a load grows. */
export async function measureGrowth(
  stage: Stage,
  { records, onProgress }: Pick<Amount, "records" | "onProgress">,
): Promise<GrowthPoint[]> {
  const points: GrowthPoint[] = [];
  for await (const run of planGrowth(stage, records)) {
    const point = await measurePoint(stage, run);
    points.push(point);
    const seconds = point.seconds.toFixed(2);
    onProgress(
      `${point.series} ${renderX(point)}: ${countOf(point.records, "record")} in ${seconds} s`,
    );
  }
  return points;
}

/**
 * Measures one point, on a database and in a process of its own.
 *
 * @throws when the ledger counts other than planned
 */
export async function measurePoint(
  stage: Stage,
  { series, x, before, paths, expected }: GrowthRun,
): Promise<GrowthPoint> {
  await using database = await stage.database();
  await using subject = await stage.subject(database);
  if (before !== undefined) await loadFiles(database, subject, [before]);
  const { settled } = await loadFiles(database, subject, paths);
  const [counts] = await database.sql<GrowthCounts[]>`
    select sum(records)::bigint as records, sum(duplicates)::bigint as duplicates,
           sum(rejected)::bigint as rejected
    from ingest.files
    where file_id > ${before === undefined ? 0 : 1}`;
  deepEqual({ ...counts }, expected);
  return { series, x, records: expected.records, seconds: settled };
}
