import type { Sql } from "../../activities/database.ts";
import type { Subject } from "./subject.ts";

const ID_LENGTH = 36;

/** Lands a small file, and tells milliseconds from its rename until its last row, which commits with all others, was seen. */
export type LandAndLook = (path: string) => Promise<number>;

/**
 * Prepares to ask every two milliseconds for a row by its key. The server does so by itself: asked by a client each time,
 * that took a tenth of the processors' time until the row was there, from what was measured.
 *
 * @param sql Pool of the owner of a database that nobody else uses.
 */
export async function prepareLook(sql: Sql, subject: Subject): Promise<LandAndLook> {
  // Each statement of a volatile function sees what was committed by then.
  await sql`
    create function ingest.look_until_seen(id uuid) returns void language plpgsql volatile as $$
    begin
      loop
        perform from ingest.event_keys where event_id = id;
        exit when found;
        perform pg_sleep(0.002);
      end loop;
    end $$`;
  return async (path) => {
    const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
    const id = lines.at(-1)!.slice(0, ID_LENGTH);
    // Sent before the file lands, so that nothing but the looks goes on beside it.
    const seen = sql`select ingest.look_until_seen(${id})`.execute();
    const landedAt = await subject.land([path]);
    await seen;
    return performance.now() - landedAt;
  };
}
