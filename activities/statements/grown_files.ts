import type { FileIdentity } from "../../domain/ingest_api.ts";
import type { Sql } from "../database.ts";
import { plainArray } from "./array_literal.ts";

/** A file in the archive, as it was when it was read. */
export interface ArchivedFile {
  fileId: number;
  feed: string;
  archivePath: string;
  sizeBytes: number;
}

/**
 * The files of an inbox that were read and moved away and have come to an age lately, the newest first.
 *
 * @param sql Pool of any role that reads the ledger.
 * @param options.agesMs Since they were settled.
 * @param options.withinMs How long ago they came to one of these ages at most.
 * @param options.limit How many are given at most.
 */
export async function archivedFiles(
  sql: Sql,
  { inboxId, agesMs, withinMs, limit }: {
    inboxId: string;
    agesMs: readonly number[];
    withinMs: number;
    limit: number;
  },
): Promise<ArchivedFile[]> {
  const rows = await sql<
    { file_id: number; feed: string; archive_path: string; size_bytes: number }[]
  >`
    select distinct f.file_id, f.feed, f.archive_path, f.size_bytes, f.settled_at
    from unnest(${plainArray(agesMs)}::float8[]) as a (ms)
    join ingest.files f
      on f.settled_at <= now() - a.ms * interval '1 millisecond'
     and f.settled_at > now() - (a.ms + ${withinMs}) * interval '1 millisecond'
    where f.inbox_id = ${inboxId} and f.state in ('loaded', 'duplicate', 'failed')
      and f.archive_path is not null
    order by f.settled_at desc
    limit ${limit}`;
  return rows.map(({ file_id, feed, archive_path, size_bytes }) => ({
    fileId: file_id,
    feed,
    archivePath: archive_path,
    sizeBytes: size_bytes,
  }));
}

/**
 * Makes the row of a version that grew in the archive. Like a retry it is read where the bytes are, and its settling
 * takes them over from the row before. The next listing starts its workflow, as that of every unfinished row.
 *
 * @param sql Pool of the ingest role.
 * @param fileId The file that has grown.
 * @param version What lies in the archive now.
 * @returns Whether it was made here; false when another watcher was faster, or another operation has the bytes.
 */
export async function recordGrownFile(
  sql: Sql,
  fileId: number,
  { identity, workflowId, closedAt }: {
    identity: FileIdentity;
    workflowId: string;
    closedAt: string | null;
  },
): Promise<boolean> {
  const { path, ino, sizeBytes, mtimeMs, ctimeMs } = identity;
  const rows = await sql`
    insert into ingest.files
      (feed, contract_version, inbox_id, path, file_name, ino, size_bytes, mtime_ms, ctime_ms,
       workflow_id, closed_at, discovered_at, retry_of)
    select o.feed, o.contract_version, o.inbox_id, ${path}, o.file_name, ${ino}, ${sizeBytes},
           ${mtimeMs}, ${ctimeMs}, ${workflowId}, ${closedAt}, now(), o.file_id
    from ingest.files o
    where o.file_id = ${fileId} and o.archive_path = ${path} and o.settled_at is not null
      and not exists (select from ingest.files r where r.retry_of = o.file_id and r.settled_at is null)
    on conflict (workflow_id) do nothing
    returning file_id`;
  return rows.length > 0;
}
