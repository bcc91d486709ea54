import type { Sql } from "../../activities/database.ts";
import type { RecordFaultCode } from "../../domain/faults.ts";
import type { FileState } from "../../domain/ledger.ts";

/** All that the ledger knows about one file. */
export interface ShownFile {
  file: FileDetails;
  chunks: ChunkDetails[];
  /** Rejects by fault, most frequent first. */
  faults: FaultSummary[];
}

/** The row of a file; times as RFC 3339 text. */
export interface FileDetails {
  file_id: number;
  file_name: string;
  feed: string;
  state: FileState;
  path: string;
  archive_path: string | null;
  size_bytes: number;
  sha256: string | null;
  inbox_id: string;
  workflow_id: string;
  run_id: string | null;
  epoch: number;
  records: number | null;
  loaded: number | null;
  duplicates: number | null;
  rejected: number | null;
  error_code: string | null;
  error_message: string | null;
  duplicate_of: number | null;
  supersedes: number | null;
  replaced_by: number | null;
  retry_of: number | null;
  retried_as: number | null;
  closed_at: string | null;
  discovered_at: string;
  started_at: string;
  committed_at: string | null;
  settled_at: string | null;
}

/** A chunk and what was committed of it. */
export interface ChunkDetails {
  chunk_no: number;
  byte_start: number;
  byte_end: number;
  first_line: number;
  records: number;
  loaded: number;
  duplicates: number;
  rejected: number;
  attempt: number | null;
  worker: string | null;
  committed_at: string | null;
}

/** Rejects that share a fault. */
export interface FaultSummary {
  code: RecordFaultCode;
  column: string | null;
  expected: string | null;
  rejects: number;
  /** Lines of the first few, in order. */
  lines: number[];
}

/** Reads a file with its chunks and faults; needs no right to raw bytes. */
export async function showFile(sql: Sql, fileId: number): Promise<ShownFile> {
  const files = await sql<FileDetails[]>`
    select f.file_id, f.file_name, f.feed, f.state, f.path, f.archive_path, f.size_bytes, f.sha256,
           f.inbox_id, f.workflow_id, f.run_id, f.epoch, f.records, f.loaded, f.duplicates, f.rejected,
           f.error_code, f.error_message, f.duplicate_of, f.supersedes, f.replaced_by, f.retry_of,
           (select max(r.file_id) from ingest.files r where r.retry_of = f.file_id) as retried_as,
           to_json(f.closed_at) #>> '{}'     as closed_at,
           to_json(f.discovered_at) #>> '{}' as discovered_at,
           to_json(f.started_at) #>> '{}'    as started_at,
           to_json(f.committed_at) #>> '{}'  as committed_at,
           to_json(f.settled_at) #>> '{}'    as settled_at
    from ingest.files f
    where f.file_id = ${fileId}`;
  const chunks = await sql<ChunkDetails[]>`
    select chunk_no, byte_start, byte_end, first_line, records, loaded, duplicates, rejected, attempt,
           worker, to_json(committed_at) #>> '{}' as committed_at
    from ingest.chunks
    where file_id = ${fileId}
    order by chunk_no`;
  const faults = await sql<FaultSummary[]>`
    select fault ->> 'code' as code, fault ->> 'column' as column, fault ->> 'expected' as expected,
           count(*) as rejects,
           to_jsonb((array_agg(r.line_number order by r.line_number))[1:8]) as lines
    from ingest.rejects r
    cross join lateral jsonb_array_elements(r.faults) as fault
    where r.file_id = ${fileId} and r.state <> 'withdrawn'
    group by 1, 2, 3
    order by rejects desc, code, 2, 3`;
  return { file: files[0]!, chunks: [...chunks], faults: [...faults] };
}
