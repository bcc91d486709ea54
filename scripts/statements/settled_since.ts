import type { Sql } from "../../activities/database.ts";
import { plainArray } from "../../activities/statements/array_literal.ts";
import type { FileState } from "../../domain/ledger.ts";

/** What became of a file. */
export interface SettledFile {
  fileId: number;
  fileName: string;
  workflowId: string;
  runId: string | null;
  state: FileState;
  records: number;
  loaded: number;
  duplicates: number;
  rejected: number;
  duplicateOf: number | null;
  errorMessage: string | null;
  settledAt: Date;
  /** Where it was moved to. */
  archivePath: string | null;
  /** From the end of writing to queryable; null when nothing was loaded. */
  lagMs: number | null;
}

/**
 * Files of an inbox that were settled lately, oldest first.
 *
 * @param options.since By the server's clock; a transaction that began earlier may still show later.
 * @param options.known Files to leave out.
 */
export async function settledSince(
  sql: Sql,
  { inboxId, since, known }: { inboxId: string; since: Date; known: readonly number[] },
): Promise<SettledFile[]> {
  return [
    ...await sql<SettledFile[]>`
    select file_id as "fileId", file_name as "fileName", workflow_id as "workflowId",
           run_id as "runId", state, coalesce(records, 0) as records,
           coalesce(loaded, 0) as loaded, coalesce(duplicates, 0) as duplicates,
           coalesce(rejected, 0) as rejected, duplicate_of as "duplicateOf",
           error_message as "errorMessage", settled_at as "settledAt", archive_path as "archivePath",
           (1000 * extract(epoch from committed_at - coalesce(closed_at, discovered_at)))::float8 as "lagMs"
    from ingest.files
    where inbox_id = ${inboxId} and settled_at > ${since}
      and file_id <> all(${plainArray(known)}::bigint[])
    order by settled_at, file_id`,
  ];
}

/** The server's clock. */
export async function readClock(sql: Sql): Promise<Date> {
  const [row] = await sql<{ now: Date }[]>`select clock_timestamp() as now`;
  return row!.now;
}
