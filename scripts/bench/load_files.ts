import type { Sql } from "../../activities/database.ts";
import { sleep } from "../cli/sleep.ts";
import type { StageDatabase } from "./stage.ts";
import type { Subject } from "./subject.ts";

const SHORTEST_WAIT_MS = 20;
/** Of the time since the files landed: looking more often would take from what is measured, and tell nothing more. */
const WAIT_SHARE = 0.005;

/** Seconds since the first file landed. */
export interface LoadTimes {
  /** Rows and rollups can be queried, the ledger is closed, the files are in the archive. */
  readonly settled: number;
  /** No change of a rollup waits to be folded into its base table: nothing is left to do. */
  readonly folded: number;
}

/**
 * Lands files and waits for the whole of the way.
 *
 * @throws when a file did not load, or not all files at that
 */
export async function loadFiles(
  { sql }: StageDatabase,
  subject: Subject,
  paths: readonly string[],
): Promise<LoadTimes> {
  const before = await countSettled(sql);
  const landedAt = await subject.land(paths);
  const wait = () => sleep(Math.max(SHORTEST_WAIT_MS, WAIT_SHARE * (performance.now() - landedAt)));
  while (await countSettled(sql) < before + paths.length) await wait();
  const settled = (performance.now() - landedAt) / 1000;
  await foldAll(sql);
  return { settled, folded: (performance.now() - landedAt) / 1000 };
}

async function countSettled(sql: Sql): Promise<number> {
  const [row] = await sql<{ settled: number; broken: string | null }[]>`
    select count(*) filter (where settled_at is not null) as settled,
           min(state || ' ' || coalesce(error_code, '')) filter (where state not in ('loading', 'loaded'))
             as broken
    from ingest.files`;
  if (row!.broken !== null) throw new Error(`Cannot measure: a file is ${row!.broken}`);
  return row!.settled;
}

/** A folder at work makes another one give up at once. */
async function foldAll(sql: Sql): Promise<void> {
  for (;;) {
    await sql`select shop.fold_rollups()`;
    const [row] = await sql<{ folded: boolean }[]>`
      select not exists (select from shop.minute_rollup_delta)
         and not exists (select from shop.product_rollup_delta) as folded`;
    if (row!.folded) return;
    await sleep(SHORTEST_WAIT_MS);
  }
}
