import { type Sql, sqlstateOf } from "../../activities/database.ts";
import { sleep } from "../cli/sleep.ts";
import type { Logger } from "../log.ts";

/** Queries sum up what waits, which takes them no time while it is little. */
const LOOK_EVERY_MS = 2_000;
/** So few are folded at once: it takes milliseconds. */
const FEW = 20_000;
/** So many are folded whatever else goes on: queries would come to feel them. */
const MANY = 1_000_000;
const BETWEEN_BATCHES_MS = 100;
/** So much may be copied while a load goes on before the indexes are told: to read it takes queries a tenth of a second. */
const MANY_COPIED_BYTES = 64 * 1024 * 1024;

/**
 * Moves the deltas of the rollups into their base tables, so that what queries sum up stays short, and makes what loads
 * have copied known to its indexes by time. The processor time that folding takes is kept from a large load under way,
 * unless too many deltas have come together. Views are right without it, and any number of processes may do it.
 *
 * @param sql Pool of the ingest role.
 * @returns `stop`, which waits for a fold under way
 */
export function foldRollups(sql: Sql, log: Logger): { stop(): Promise<void> } {
  const controller = new AbortController();
  const { signal } = controller;
  const loop = (async () => {
    for (let before = 0, copiedBefore = 0, summarized = 0; !signal.aborted;) {
      const { waiting, copied } = await look(sql, log);
      const isToSummarize = copied === copiedBefore
        ? copied !== summarized
        : copied - summarized >= MANY_COPIED_BYTES;
      if (isToSummarize && await summarizeCopies(sql, log)) summarized = copied;
      copiedBefore = copied;
      if (waiting > 0 && isDue(waiting, before)) await fold(sql, log);
      // What a load has left is folded in batches, one after the other.
      const isLeftOver = waiting > FEW && waiting <= before;
      before = waiting;
      await sleep(isLeftOver ? BETWEEN_BATCHES_MS : LOOK_EVERY_MS, signal);
    }
  })();
  return {
    stop() {
      controller.abort();
      return loop;
    },
  };
}

/** Whether a load goes on is seen by its deltas becoming more. */
function isDue(waiting: number, before: number): boolean {
  return waiting <= FEW || waiting >= MANY || waiting <= before;
}

/** How many deltas wait, and how large is what was copied, in bytes; nothing when nobody answers. */
async function look(sql: Sql, log: Logger): Promise<{ waiting: number; copied: number }> {
  return await attempt(log, async () => {
    const [row] = await sql<{ waiting: number; copied: number }[]>`
      select shop.count_deltas() as waiting,
             pg_relation_size('shop.minute_rollup_bulk') + pg_relation_size('shop.product_rollup_bulk') as copied`;
    return row;
  }) ?? { waiting: 0, copied: 0 };
}

async function fold(sql: Sql, log: Logger): Promise<void> {
  await attempt(log, () => sql`select shop.fold_rollups()`);
}

/** A vacuum at work on it makes it give up; it does the same. */
async function summarizeCopies(sql: Sql, log: Logger): Promise<boolean> {
  return await attempt(log, () => sql`select shop.summarize_copies()`) !== undefined;
}

/** A failure costs nothing but time: the next fold takes the deltas as well. */
async function attempt<Result>(log: Logger, work: () => PromiseLike<Result>) {
  try {
    return await work();
  } catch (error) {
    log.debug({ sqlstate: sqlstateOf(error) }, "Cannot fold rollups now");
  }
}
