import type { PendingQuery, Row } from "postgres";
import { fileNameOf } from "../../domain/file_name_of.ts";
import type { IngestFileInput } from "../../domain/ingest_api.ts";
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
             case when o.sha256 is null then 'unread' else o.state end as state,
             o.data_end as "end"
      ${fromUnfinished(sql, sql`(select * from ingest.files where file_id = ${fileId})`)}
      order by o.file_id`,
  ];
}

/**
 * Whether there is one of a file that has no row yet, and no number. Holds as long as its name is locked.
 *
 * @returns An expression.
 */
export function hasUnfinishedPredecessor(
  tx: Transaction,
  { inboxId, identity: { path, sizeBytes } }: Pick<IngestFileInput, "inboxId" | "identity">,
) {
  const file = tx`(select ${inboxId}::uuid as inbox_id, ${fileNameOf(path)} as file_name,
                          ${sizeBytes}::bigint as size_bytes,
                          null::bigint as retry_of, ${BEHIND_ALL}::bigint as file_id)`;
  return tx`exists (select ${fromUnfinished(tx, file)})`;
}

/** No file has this number. */
const BEHIND_ALL = "9223372036854775807";

/** @param file Relation of one row, with the columns of `ingest.files` that are asked for. */
function fromUnfinished(sql: Sql | Transaction, file: PendingQuery<Row[]>) {
  return sql`
    from ${file} f
    join ingest.files o on o.file_id in (
      f.retry_of,
      (select max(n.file_id) from ingest.files n
       where n.inbox_id = f.inbox_id and n.file_name = f.file_name and n.file_id < f.file_id
         and n.file_id is distinct from f.retry_of and n.state in ('loading', 'loaded')))
    where o.state in ('loading', 'loaded')
      -- Null while it is unread, and while a cut record is being taken out.
      and o.ends_with_newline is not true
      and o.size_bytes < f.size_bytes`;
}

/** Nothing is left to do for a version whose cut record was taken out. */
export async function finishPredecessor(sql: Sql, fileId: number): Promise<void> {
  await sql`
    update ingest.files set ends_with_newline = true
    where file_id = ${fileId} and ends_with_newline is null`;
}
