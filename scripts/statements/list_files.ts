import type { Sql } from "../../activities/database.ts";
import type { FileState } from "../../domain/ledger.ts";

/** A line of the list of files. */
export interface ListedFile {
  file_id: number;
  file_name: string;
  state: FileState;
  size_bytes: number;
  records: number | null;
  loaded: number | null;
  duplicates: number | null;
  rejected: number | null;
  /** Epoch milliseconds. */
  discovered_at: Date;
  reason: string | null;
}

/** The newest files, newest first. A file under way shows what its committed chunks hold. */
export async function listFiles(
  sql: Sql,
  { state, limit }: { state: FileState | null; limit: number },
): Promise<ListedFile[]> {
  return [
    ...await sql<ListedFile[]>`
    select f.file_id, f.file_name, f.state, f.size_bytes, f.discovered_at,
           coalesce(f.records, c.records)       as records,
           coalesce(f.loaded, c.loaded)         as loaded,
           coalesce(f.duplicates, c.duplicates) as duplicates,
           coalesce(f.rejected, c.rejected)     as rejected,
           case when f.duplicate_of is not null then 'same bytes as file ' || f.duplicate_of
                when f.paused_at is not null then 'paused'
                else f.error_code end           as reason
    from ingest.files f
    left join lateral (
      select sum(c.records)::bigint as records, sum(c.loaded)::bigint as loaded,
             sum(c.duplicates)::bigint as duplicates, sum(c.rejected)::bigint as rejected
      from ingest.chunks c
      where c.file_id = f.file_id and f.state = 'loading'
    ) c on true
    where ${state}::text is null or f.state = ${state}
    order by f.file_id desc
    limit ${limit}`,
  ];
}
