import { type Sql, sqlstateOf } from "../../activities/database.ts";
import type { Logger } from "../log.ts";

/** Deltas are few after this time, and a fold of them takes milliseconds. */
const FOLD_EVERY_MS = 2_000;

/**
 * Moves the deltas of the rollups into their base tables every few seconds, so that what queries sum
 * up stays short. Views are right without it, and any number of processes may do it.
 *
 * @param sql Pool of the ingest role.
 * @returns `stop`, which waits for a fold under way
 */
export function foldRollups(sql: Sql, log: Logger): { stop(): Promise<void> } {
  let stopped = false;
  let wake = () => {};
  const loop = (async () => {
    while (!stopped) {
      await fold(sql, log);
      if (stopped) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, FOLD_EVERY_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
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

/** A failure costs nothing but time: the next fold takes the deltas as well. */
async function fold(sql: Sql, log: Logger): Promise<void> {
  try {
    await sql`select shop.fold_rollups()`;
  } catch (error) {
    log.debug({ sqlstate: sqlstateOf(error) }, "Cannot fold rollups now");
  }
}
