import { sleep } from "../cli/sleep.ts";
import type { StageDatabase } from "./stage.ts";
import type { Subject } from "./subject.ts";

const POLL_MS = 2;
const ID_LENGTH = 36;

/**
 * Lands a small file and asks every two milliseconds for its last row, by its key, which commits with it.
 *
 * @returns Milliseconds from the rename until the row was seen.
 */
export async function landAndLook(
  { sql }: StageDatabase,
  subject: Subject,
  path: string,
): Promise<number> {
  const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
  const id = lines.at(-1)!.slice(0, ID_LENGTH);
  const landedAt = await subject.land([path]);
  for (;;) {
    const found = await sql`select from ingest.event_keys where event_id = ${id}`;
    if (found.length > 0) return performance.now() - landedAt;
    await sleep(POLL_MS);
  }
}
