import type { FileIdentity, IngestFileResult } from "../../domain/ingest_api.ts";
import type { FileState } from "../../domain/ledger.ts";
import type { Sql } from "../database.ts";

/** A file that is about to be settled, as the ledger has it. */
export interface SettlingFile {
  fileId: number;
  state: FileState;
  epoch: number;
  settled: boolean;
  /** The version that was inspected; its path is where the bytes were read. */
  identity: FileIdentity;
  fileName: string;
  archivePath: string | null;
  errorCode: string | null;
}

interface SettlingRow {
  file_id: number;
  state: FileState;
  epoch: number;
  settled: boolean;
  path: string;
  ino: number;
  size_bytes: number;
  mtime_ms: number;
  ctime_ms: number;
  file_name: string;
  archive_path: string | null;
  error_code: string | null;
}

/** Reads the row of a file that is about to be settled. */
export async function readSettlingFile(sql: Sql, fileId: number): Promise<SettlingFile> {
  const [row] = await sql<SettlingRow[]>`
    select file_id, state, epoch, settled_at is not null as settled, path, ino, size_bytes, mtime_ms,
           ctime_ms, file_name, archive_path, error_code
    from ingest.files where file_id = ${fileId}`;
  if (row === undefined) throw new Error(`Cannot settle file ${fileId}: there is no such file`);
  return {
    fileId: row.file_id,
    state: row.state,
    epoch: row.epoch,
    settled: row.settled,
    identity: {
      path: row.path,
      ino: row.ino,
      sizeBytes: row.size_bytes,
      mtimeMs: row.mtime_ms,
      ctimeMs: row.ctime_ms,
    },
    fileName: row.file_name,
    archivePath: row.archive_path,
    errorCode: row.error_code,
  };
}

/** Step (a): says where the bytes are about to be. A file loaded once more takes them over from the row before it. */
export async function setArchivePath(
  sql: Sql,
  { fileId, archivePath }: { fileId: number; archivePath: string | null },
): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`
      update ingest.files o set archive_path = null
      from ingest.files f
      where f.file_id = ${fileId} and o.file_id = f.retry_of and o.archive_path = f.path`;
    await tx`update ingest.files set archive_path = ${archivePath} where file_id = ${fileId}`;
  });
}

/** Last step: nothing remains to be done. Refused (false) when the file was re-opened in the meantime. */
export async function markSettled(
  sql: Sql,
  { fileId, epoch }: { fileId: number; epoch: number },
  { replaced = false, message = null }: { replaced?: boolean; message?: string | null } = {},
): Promise<boolean> {
  const rows = await sql`
    update ingest.files
    set settled_at = now(),
        archive_path = case when ${replaced} then null else archive_path end,
        error_code = case when ${replaced} then coalesce(error_code, 'replaced') else error_code end,
        error_message = case when ${replaced} then coalesce(error_message, ${message}) else error_message end
    where file_id = ${fileId} and epoch = ${epoch} and settled_at is null
      and state not in ('loading', 'unloading')
    returning file_id`;
  return rows.length > 0;
}

/** Result of a file's workflow, from its row. */
export async function readResult(sql: Sql, fileId: number): Promise<IngestFileResult> {
  const [row] = await sql<{
    state: FileState;
    workflow_id: string;
    records: number | null;
    loaded: number | null;
    duplicates: number | null;
    rejected: number | null;
    error_code: string | null;
    error_message: string | null;
    duplicate_of: number | null;
    archive_path: string | null;
  }[]>`
    select state, workflow_id, records, loaded, duplicates, rejected, error_code, error_message,
           duplicate_of, archive_path
    from ingest.files where file_id = ${fileId}`;
  if (row === undefined) throw new Error(`Cannot read file ${fileId}: there is no such file`);
  return {
    fileId,
    state: row.state,
    records: row.records ?? 0,
    loaded: row.loaded ?? 0,
    duplicates: row.duplicates ?? 0,
    rejected: row.rejected ?? 0,
    ...(row.error_code !== null && { errorCode: row.error_code }),
    ...(row.error_message !== null && { errorMessage: row.error_message }),
    ...(row.duplicate_of !== null && { duplicateOf: row.duplicate_of }),
    ...(row.archive_path !== null && { archivePath: row.archive_path }),
  };
}
