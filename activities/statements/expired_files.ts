import type { Sql } from "../database.ts";

/** An archived file whose bytes are no longer needed. */
export interface ExpiredFile {
  fileId: number;
  archivePath: string;
  sizeBytes: number;
  ino: number;
  mtimeMs: number;
}

/**
 * Archived files of an inbox whose bytes may go: those that are loaded, and duplicates of one that is. What failed or was
 * cancelled stays, because only its bytes can mend it.
 *
 * @param sql Pool of any role that reads the ledger.
 * @param options.afterMs How long ago they were settled at least.
 */
export async function expiredFiles(
  sql: Sql,
  { inboxId, afterMs, limit }: { inboxId: string; afterMs: number; limit: number },
): Promise<ExpiredFile[]> {
  return [
    ...await sql<ExpiredFile[]>`
      select f.file_id as "fileId", f.archive_path as "archivePath", f.size_bytes as "sizeBytes", f.ino,
             f.mtime_ms as "mtimeMs"
      from ingest.files f
      left join ingest.files o on o.file_id = f.duplicate_of
      where f.inbox_id = ${inboxId} and f.archive_path is not null
        and f.settled_at < now() - ${afterMs} * interval '1 millisecond'
        and (f.state = 'loaded' or (f.state = 'duplicate' and o.state = 'loaded'))
      order by f.settled_at
      limit ${limit}`,
  ];
}

/** Writes that the bytes of a file are gone, unless it has become something else meanwhile. */
export async function forgetBytes(
  sql: Sql,
  { fileId, archivePath }: Pick<ExpiredFile, "fileId" | "archivePath">,
): Promise<void> {
  await sql`
    update ingest.files set archive_path = null
    where file_id = ${fileId} and archive_path = ${archivePath}
      and settled_at is not null and state in ('loaded', 'duplicate')`;
}
