import type { Sql } from "../activities/database.ts";
import { CHANGE_CHANNEL } from "../activities/announce_changes.ts";

/** Tells whoever looks that the database has changed, or that it is back. */
export interface Changes extends AsyncDisposable {
  /** Calls back at changes, until the signal. */
  follow(onChange: () => void, signal: AbortSignal): void;
}

/** Follows the announcements of all workers on a database; a lost connection is opened again. */
export async function followChanges(sql: Sql): Promise<Changes> {
  const followers = new Set<() => void>();
  const tell = () => followers.forEach((follower) => follower());
  // The second callback is called at each connection: what was announced meanwhile was missed.
  const listening = await sql.listen(CHANGE_CHANNEL, tell, tell);
  return {
    follow(onChange, signal) {
      followers.add(onChange);
      signal.addEventListener("abort", () => followers.delete(onChange), { once: true });
    },
    [Symbol.asyncDispose]: async () => {
      followers.clear();
      await Promise.race([
        listening.unlisten(),
        new Promise((resolve) => setTimeout(resolve, 500)),
      ]).catch(() => {});
    },
  };
}
