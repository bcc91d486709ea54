import type { Sql } from "../../activities/database.ts";

/** A loaded file that may be of a history. */
export interface PastFile {
  name: string;
  records: number;
}

/** Loaded files of an inbox whose names could be those of a history of so many files. */
export async function pastHistory(
  sql: Sql,
  { inboxId, files }: { inboxId: string; files: number },
): Promise<PastFile[]> {
  return [
    ...await sql<PastFile[]>`
      select f.file_name as name, max(coalesce(f.records, o.records, 0))::bigint as records
      from ingest.files f
      left join ingest.files o on o.file_id = f.duplicate_of and o.state = 'loaded'
      where f.inbox_id = ${inboxId}
        and (f.state = 'loaded' or o.file_id is not null)
        and f.file_name ~ '^events-[0-9]{8}T[0-9]{6}Z-[0-9]{6}[.]csv$'
        and substring(f.file_name from 'Z-([0-9]{6})[.]csv$')::integer < ${files}
      group by f.file_name`,
  ];
}
