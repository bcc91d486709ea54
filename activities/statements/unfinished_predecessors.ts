import type { Sql, Transaction } from "../database.ts";

/** An older version that may end within a record, or whose cut record was just taken out. */
export type UnfinishedPredecessor =
  & { fileId: number; sizeBytes: number }
  & ({
    state: "loading" | "loaded";
    sha256: string;
    /** Offset behind its last byte in its expanded form. */
    end: number;
  } | { state: "unread" });

/**
 * The versions that a file may have grown from: the newest before it under its name, and the one that lay in the archive
 * when its writer went on. Of these, what is shorter, and has no line end at its end or is not read yet.
 *
 * @param sql Pool of any role that reads the ledger, or a transaction on it.
 * @param fileId The file.
 */
export async function unfinishedPredecessors(
  sql: Sql | Transaction,
  fileId: number,
): Promise<UnfinishedPredecessor[]> {
  return [
    ...await sql<UnfinishedPredecessor[]>`
      select o.file_id as "fileId", o.size_bytes as "sizeBytes", o.sha256,
             case when o.sha256 is null then 'unread' else o.state end as state,
             o.data_end as "end"
      from ingest.files f
      join ingest.files o on o.file_id in (
        f.retry_of,
        (select max(n.file_id) from ingest.files n
         where n.inbox_id = f.inbox_id and n.file_name = f.file_name and n.file_id < f.file_id
           and n.file_id is distinct from f.retry_of and n.state in ('loading', 'loaded')))
      where f.file_id = ${fileId} and o.state in ('loading', 'loaded')
        -- Null while it is unread, and while a cut record is being taken out.
        and o.ends_with_newline is not true
        and o.size_bytes < f.size_bytes
      order by o.file_id`,
  ];
}

/** Nothing is left to do for a version whose cut record was taken out. */
export async function finishPredecessor(sql: Sql, fileId: number): Promise<void> {
  await sql`
    update ingest.files set ends_with_newline = true
    where file_id = ${fileId} and ends_with_newline is null`;
}
