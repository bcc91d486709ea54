import { type Sql, sqlstateOf } from "../../activities/database.ts";
import type { Logger } from "../log.ts";
import { sleep } from "../cli/sleep.ts";

/** Of the time limit: how much later than it a session is ended at most. */
const LOOKS_PER_LIMIT = 4;

/**
 * Ends transactions whose client stands still in a `COPY`: the one case in which no timeout of the server runs. They hold
 * keys of events that other loads may wait for. A client that is gone is noticed by the server itself.
 *
 * Any number of processes may do it, and each for all others.
 *
 * @param sql Pool of the ingest role, with the same login as that of the loads.
 * @param options.afterMs The time limit of a transaction.
 * @returns `stop`, which waits for a look under way
 */
export function endStalledCopies(
  sql: Sql,
  { afterMs, log }: { afterMs: number; log: Logger },
): { stop(): Promise<void> } {
  const controller = new AbortController();
  const loop = (async () => {
    while (await sleep(afterMs / LOOKS_PER_LIMIT, controller.signal)) {
      try {
        const ended = await endStalled(sql, afterMs);
        if (ended > 0) log.warn({ ended }, "Ended sessions whose worker stood still in a COPY");
      } catch (error) {
        log.debug({ sqlstate: sqlstateOf(error) }, "Cannot look for stalled copies now");
      }
    }
  })();
  return {
    stop() {
      controller.abort();
      return loop;
    },
  };
}

/**
 * One look.
 *
 * @returns How many sessions were ended.
 */
export async function endStalled(sql: Sql, afterMs: number): Promise<number> {
  return await sql.begin(async (tx) => {
    // Sessions are their login's, whatever role they have taken on.
    await tx`set local role none`;
    const [row] = await tx<{ ended: number }[]>`
      select count(pg_terminate_backend(pid))::integer as ended
      from pg_stat_activity
      where datname = current_database() and usename = session_user
        and state = 'active' and wait_event = 'ClientRead' and query ~* '^\\s*copy '
        and xact_start < clock_timestamp() - ${afterMs} * interval '1 millisecond'`;
    return row!.ended;
  }) as number;
}
