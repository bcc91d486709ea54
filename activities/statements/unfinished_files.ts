import type { FileIdentity } from "../../domain/ingest_api.ts";
import type { Sql } from "../database.ts";
import { identityOfRow } from "./identity_of_row.ts";

/** A file that the ledger has and that some workflow has to finish. */
export interface UnfinishedFile {
  fileId: number;
  feed: string;
  /** The workflow that owns it. */
  workflowId: string;
  identity: FileIdentity;
  discoveredAt: Date;
  closedAt: Date | null;
}

/**
 * The files of an inbox at which something remains to be done, and that nobody has paused. Whatever loads or unloads is
 * not settled: the transactions that re-open or unload a file clear `settled_at`, so the partial index on it finds them
 * all.
 *
 * @param sql Pool of any role that reads the ledger.
 * @param inboxId UUID of the inbox.
 */
export async function unfinishedFiles(sql: Sql, inboxId: string): Promise<UnfinishedFile[]> {
  const rows = await sql<UnfinishedRow[]>`
    select file_id, feed, workflow_id, path, ino, size_bytes, mtime_ms, ctime_ms, discovered_at, closed_at
    from ingest.files
    where inbox_id = ${inboxId} and settled_at is null and paused_at is null
    order by file_id`;
  return rows.map((row) => ({
    fileId: row.file_id,
    feed: row.feed,
    workflowId: row.workflow_id,
    identity: identityOfRow(row),
    discoveredAt: row.discovered_at,
    closedAt: row.closed_at,
  }));
}

interface UnfinishedRow {
  file_id: number;
  feed: string;
  workflow_id: string;
  path: string;
  ino: number;
  size_bytes: number;
  mtime_ms: number;
  ctime_ms: number;
  discovered_at: Date;
  closed_at: Date | null;
}

/**
 * Which of some workflows have a row, and whether it is settled or paused: either makes room for others. A workflow
 * without a row has not claimed its file yet, or has taken over an older row.
 *
 * @param sql Pool of any role that reads the ledger.
 * @param workflowIds Up to a few thousand ids.
 */
export async function settledByWorkflow(
  sql: Sql,
  workflowIds: readonly string[],
): Promise<Map<string, boolean>> {
  if (workflowIds.length === 0) return new Map();
  const rows = await sql<{ workflow_id: string; settled: boolean }[]>`
    select workflow_id, settled_at is not null or paused_at is not null as settled
    from ingest.files where workflow_id in ${sql(workflowIds)}`;
  return new Map(rows.map(({ workflow_id, settled }) => [workflow_id, settled]));
}

/**
 * Which of some files have a row, and whether it is settled.
 *
 * @param sql Pool of any role that reads the ledger.
 * @param fileIds Numbers of files.
 */
export async function settledById(
  sql: Sql,
  fileIds: readonly number[],
): Promise<Map<number, boolean>> {
  if (fileIds.length === 0) return new Map();
  const rows = await sql<{ file_id: number; settled: boolean }[]>`
    select file_id, settled_at is not null as settled
    from ingest.files where file_id in ${sql(fileIds)}`;
  return new Map(rows.map(({ file_id, settled }) => [file_id, settled]));
}
