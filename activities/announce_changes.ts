import type { Sql } from "./database.ts";

/** Channel of `listen` on which workers announce that something was committed. Carries no payload. */
export const CHANGE_CHANNEL = "clickledger_changes";

/** At most one announcement in this time: whoever listens asks for everything anyway. */
const ANNOUNCE_EVERY_MS = 250;

/**
 * Makes a function that announces a commit, behind the transaction and not in it: `notify` inside takes a lock that every
 * committing transaction waits for. Calls within a moment become one announcement, the last is never left out.
 *
 * @param sql Pool of the ingest role.
 */
export function announceChanges(sql: Sql): () => void {
  let state: "quiet" | "waiting" | "again" = "quiet";
  const announce = async () => {
    // Nobody waits for it, and a database that is away has nothing to show.
    await sql`select pg_notify(${CHANGE_CHANNEL}, '')`.catch(() => {});
    const timer = setTimeout(() => {
      const repeat = state === "again";
      state = repeat ? "waiting" : "quiet";
      if (repeat) announce();
    }, ANNOUNCE_EVERY_MS);
    // A process that has nothing else to do may end.
    Deno.unrefTimer(Number(timer));
  };
  return () => {
    if (state !== "quiet") state = "again";
    else {
      state = "waiting";
      announce();
    }
  };
}
