import type { Sql } from "../../activities/database.ts";

/** Files with the same bytes as one, whose bytes are kept. */
export async function copiesOf(sql: Sql, fileId: number): Promise<number[]> {
  const rows = await sql<{ fileId: number }[]>`
    select file_id as "fileId" from ingest.files
    where duplicate_of = ${fileId} and state = 'duplicate' and archive_path is not null
    order by file_id`;
  return rows.map(({ fileId }) => fileId);
}
