import type { Sql } from "../../activities/database.ts";

/** Whether a person has stopped a file for a while. */
export async function isPaused(sql: Sql, fileId: number): Promise<boolean> {
  const [row] = await sql<{ paused: boolean }[]>`
    select paused_at is not null as paused from ingest.files where file_id = ${fileId}`;
  return row?.paused ?? false;
}
