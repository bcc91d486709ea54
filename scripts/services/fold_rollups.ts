import { type Sql, sqlstateOf } from "../../activities/database.ts";
import type { Logger } from "../log.ts";

/** Queries sum up what waits, which takes them no time while it is little. */
const LOOK_EVERY_MS = 2_000;
/** So few are folded at once: it takes milliseconds. */
const FEW = 20_000;
/** So many are folded whatever else goes on: queries would come to feel them. */
const MANY = 1_000_000;
const BETWEEN_BATCHES_MS = 100;

/**
 * Moves the deltas of the rollups into their base tables, so that what queries sum up stays short. The processor time
 * that it takes is kept from a large load under way, unless too many deltas have come together. Views are right without
 * it, and any number of processes may do it.
 *
 * @param sql Pool of the ingest role.
 * @returns `stop`, which waits for a fold under way
 */
export function foldRollups(sql: Sql, log: Logger): { stop(): Promise<void> } {
  let stopped = false;
  let wake = () => {};
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const loop = (async () => {
    for (let before = 0; !stopped;) {
      const waiting = await countDeltas(sql, log);
      if (waiting > 0 && isDue(waiting, before)) await fold(sql, log);
      // What a load has left is folded in batches, one after the other.
      const isLeftOver = waiting > FEW && waiting <= before;
      before = waiting;
      if (!stopped) await pause(isLeftOver ? BETWEEN_BATCHES_MS : LOOK_EVERY_MS);
    }
  })();
  return {
    stop() {
      stopped = true;
      wake();
      return loop;
    },
  };
}

/** Whether a load goes on is seen by its deltas becoming more; what it copies into the bases is not seen. */
function isDue(waiting: number, before: number): boolean {
  return waiting <= FEW || waiting >= MANY || waiting <= before;
}

/** 0 as well when nobody answers. */
async function countDeltas(sql: Sql, log: Logger): Promise<number> {
  return await attempt(log, async () => {
    const [row] = await sql<{ deltas: number }[]>`select shop.count_deltas() as deltas`;
    return row?.deltas ?? 0;
  }) ?? 0;
}

async function fold(sql: Sql, log: Logger): Promise<void> {
  await attempt(log, () => sql`select shop.fold_rollups()`);
}

/** A failure costs nothing but time: the next fold takes the deltas as well. */
async function attempt<Result>(log: Logger, work: () => PromiseLike<Result>) {
  try {
    return await work();
  } catch (error) {
    log.debug({ sqlstate: sqlstateOf(error) }, "Cannot fold rollups now");
  }
}
