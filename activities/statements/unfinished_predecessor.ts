import type { Sql } from "../database.ts";

/**
 * The loaded version that a file supersedes, when its last record had no line end and the file is longer. A compressed
 * file says nothing by its first bytes.
 */
export async function unfinishedPredecessor(
  sql: Sql,
  fileId: number,
): Promise<{ fileId: number; sizeBytes: number; sha256: string } | undefined> {
  const [older] = await sql<{ fileId: number; sizeBytes: number; sha256: string }[]>`
    select o.file_id as "fileId", o.size_bytes as "sizeBytes", o.sha256
    from ingest.files f join ingest.files o on o.file_id = f.supersedes
    where f.file_id = ${fileId} and o.state = 'loaded' and not o.ends_with_newline
      and o.size_bytes < f.size_bytes and not coalesce((o.dialect ->> 'expanded')::boolean, false)`;
  return older;
}
