import type { Sql } from "../../activities/database.ts";

/** Files with the same bytes as one, whose bytes are kept. */
export async function copiesOf(sql: Sql, fileId: number): Promise<number[]> {
  const rows = await sql<{ fileId: number }[]>`
    select file_id as "fileId" from ingest.files
    where duplicate_of = ${fileId} and state = 'duplicate' and archive_path is not null
    order by file_id`;
  return rows.map(({ fileId }) => fileId);
}

/** Number of the version that a file supersedes; null when there is none. */
export async function olderVersion(sql: Sql, fileId: number): Promise<number | null> {
  const [row] = await sql<{ supersedes: number | null }[]>`
    select supersedes from ingest.files where file_id = ${fileId}`;
  return row?.supersedes ?? null;
}

/** Loaded files with open `conflicting_event` rejects, beside one that was taken out: they may hold now. */
export async function rejectsOfFreedEvents(sql: Sql, fileId: number): Promise<number[]> {
  const rows = await sql<{ fileId: number }[]>`
    select distinct r.file_id as "fileId"
    from ingest.rejects r join ingest.files f on f.file_id = r.file_id
    where r.state = 'open' and f.state = 'loaded' and r.file_id <> ${fileId}
      and f.inbox_id = (select o.inbox_id from ingest.files o where o.file_id = ${fileId})
      and r.faults @> '[{"code": "conflicting_event"}]'
    order by 1`;
  return rows.map(({ fileId }) => fileId);
}
