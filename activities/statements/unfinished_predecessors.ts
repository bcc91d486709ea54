import type { Sql } from "../database.ts";

/** An older version whose last record has no line end. */
export interface UnfinishedPredecessor {
  fileId: number;
  sizeBytes: number;
  sha256: string;
  isLoading: boolean;
}

/**
 * The versions that a file may have grown from: the newest before it under its name, and the one that lay in the archive
 * when its writer went on. Of these, what has no line end at its end and is shorter.
 *
 * @param sql Pool of any role that reads the ledger.
 * @param fileId The file.
 */
export async function unfinishedPredecessors(
  sql: Sql,
  fileId: number,
): Promise<UnfinishedPredecessor[]> {
  return [
    ...await sql<UnfinishedPredecessor[]>`
      select o.file_id as "fileId", o.size_bytes as "sizeBytes", o.sha256,
             o.state = 'loading' as "isLoading"
      from ingest.files f
      join ingest.files o on o.file_id in (
        f.retry_of,
        (select max(n.file_id) from ingest.files n
         where n.inbox_id = f.inbox_id and n.file_name = f.file_name and n.file_id < f.file_id
           and n.file_id is distinct from f.retry_of and n.state in ('loading', 'loaded')))
      where f.file_id = ${fileId} and o.state in ('loading', 'loaded') and not o.ends_with_newline
        and o.size_bytes < f.size_bytes
      order by o.file_id`,
  ];
}
