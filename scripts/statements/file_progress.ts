import type { Sql } from "../../activities/database.ts";
import { plainArray } from "../../activities/statements/array_literal.ts";
import type { FileState } from "../../domain/ledger.ts";

/** Where a file is by now. */
export interface FileProgress {
  fileId: number;
  fileName: string;
  ino: number;
  state: FileState;
  settled: boolean;
  sizeBytes: number;
  records: number;
  loaded: number;
  duplicates: number;
  rejected: number;
  /** From 0 to 1, by bytes of committed chunks. */
  share: number;
  duplicateOf: number | null;
  errorMessage: string | null;
  /** Where it was moved to. */
  archivePath: string | null;
}

/** Where some files are; those under way count what their committed chunks hold. */
export async function fileProgress(
  sql: Sql,
  files: { fileIds: readonly number[] } | { inboxId: string; inos: readonly number[]; since: Date },
): Promise<FileProgress[]> {
  const condition = "fileIds" in files
    ? sql`f.file_id = any(${plainArray(files.fileIds)}::bigint[])`
    : sql`f.inbox_id = ${files.inboxId} and f.discovered_at >= ${files.since}
          and f.ino = any(${plainArray(files.inos)}::bigint[])`;
  return [
    ...await sql<FileProgress[]>`
    select f.file_id as "fileId", f.file_name as "fileName", f.ino, f.state,
           f.settled_at is not null as settled, f.size_bytes as "sizeBytes",
           coalesce(f.records, c.records, 0)       as records,
           coalesce(f.loaded, c.loaded, 0)         as loaded,
           coalesce(f.duplicates, c.duplicates, 0) as duplicates,
           coalesce(f.rejected, c.rejected, 0)     as rejected,
           case when f.settled_at is not null then 1
                else coalesce(c.bytes::float8 / nullif(f.data_end - f.data_start, 0), 0) end as share,
           f.duplicate_of as "duplicateOf", f.error_message as "errorMessage", f.archive_path as "archivePath"
    from ingest.files f
    left join lateral (
      select sum(c.records)::bigint as records, sum(c.loaded)::bigint as loaded,
             sum(c.duplicates)::bigint as duplicates, sum(c.rejected)::bigint as rejected,
             sum(c.byte_end - c.byte_start)::bigint as bytes
      from ingest.chunks c
      where c.file_id = f.file_id and c.committed_at is not null and f.settled_at is null
    ) c on true
    where ${condition}
    order by f.file_id`,
  ];
}
