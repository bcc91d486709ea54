import type { Fault, FileFaultCode } from "../../domain/faults.ts";
import type { DryRun } from "../../scripts/ingest/dry_run.ts";
import type { TestDatabase } from "../harness.ts";

const SHOWN_LINES = 8;

interface FileRow {
  state: DryRun["state"];
  records: number;
  loaded: number;
  duplicates: number;
  rejected: number;
  error_code: FileFaultCode | null;
  error_message: string | null;
  duplicate_of: { fileId: number; name: string } | null;
  supersedes: { fileId: number; name: string } | null;
}

/** What became of a file, as the database has it, in the words of a dry run. */
export async function loadedAs(
  sql: TestDatabase["sql"],
  fileId: number,
): Promise<Omit<DryRun, "source">> {
  const [file] = await sql<FileRow[]>`
    select f.state, coalesce(f.records, 0)::integer as records,
           coalesce(f.loaded, 0)::integer as loaded,
           coalesce(f.duplicates, 0)::integer as duplicates,
           coalesce(f.rejected, 0)::integer as rejected, f.error_code, f.error_message,
           case when d.file_id is not null
             then json_build_object('fileId', d.file_id, 'name', d.file_name) end as duplicate_of,
           case when s.file_id is not null
             then json_build_object('fileId', s.file_id, 'name', s.file_name) end as supersedes
    from ingest.files f
    left join ingest.files d on d.file_id = f.duplicate_of
    left join ingest.files s on s.file_id = f.supersedes
    where f.file_id = ${fileId}`;
  const { state, records, loaded, duplicates, rejected } = file!;
  const { error_code, error_message, duplicate_of, supersedes } = file!;
  return {
    state,
    ...{ records, loaded, duplicates, rejected },
    faults: await readFaults(sql, fileId),
    conflicts: await readConflicts(sql, fileId),
    ...(error_code !== null && { errorCode: error_code, failure: error_message ?? "" }),
    ...(duplicate_of !== null && { duplicateOf: duplicate_of }),
    ...(supersedes !== null && { supersedes }),
  };
}

async function readFaults(sql: TestDatabase["sql"], fileId: number): Promise<DryRun["faults"]> {
  const rows = await sql<{ fault: Fault; lines: number[] }[]>`
    select fault, array_agg(r.line_number order by r.line_number) as lines
    from ingest.rejects r, jsonb_array_elements(r.faults) with ordinality as f (fault, place)
    where r.file_id = ${fileId}
    group by fault
    order by count(*) desc, min(r.line_number), min(f.place)`;
  return rows.map(({ fault, lines }) => ({
    fault,
    rejects: lines.length,
    lines: lines.slice(0, SHOWN_LINES),
  }));
}

async function readConflicts(
  sql: TestDatabase["sql"],
  fileId: number,
): Promise<DryRun["conflicts"]> {
  const rejects = await sql<{ line: number; raw: Uint8Array }[]>`
    select line_number as line, raw from ingest.rejects
    where file_id = ${fileId} and faults @> '[{"code": "conflicting_event"}]'
    order by line_number`;
  return await Promise.all(rejects.map(async ({ line, raw }) => {
    const [eventId] = new TextDecoder().decode(raw).split(",");
    const [key] = await sql<{ file_id: number; name: string; line: number }[]>`
      select k.file_id::integer, f.file_name as name, k.line_number as line
      from ingest.event_keys k join ingest.files f using (file_id)
      where k.event_id = ${eventId!}`;
    const { file_id, name, line: otherLine } = key!;
    const other = file_id === fileId ? { name } : { fileId: file_id, name };
    return { line, other: { ...other, line: otherLine } };
  }));
}
