import type { FileIdentity, IngestFileResult } from "../../domain/ingest_api.ts";
import type { FileState } from "../../domain/ledger.ts";
import type { Sql } from "../database.ts";
import { identityOfRow } from "./identity_of_row.ts";

/** A file that is about to be settled, as the ledger has it. */
export interface SettlingFile {
  fileId: number;
  state: FileState;
  epoch: number;
  settled: boolean;
  /** Records; 0 until it is loaded. */
  rejected: number;
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
  rejected: number;
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
    select file_id, state, epoch, settled_at is not null as settled, coalesce(rejected, 0) as rejected,
           path, ino, size_bytes, mtime_ms, ctime_ms, file_name, archive_path, error_code
    from ingest.files where file_id = ${fileId}`;
  if (row === undefined) throw new Error(`Cannot settle file ${fileId}: there is no such file`);
  return {
    fileId: row.file_id,
    state: row.state,
    epoch: row.epoch,
    settled: row.settled,
    rejected: row.rejected,
    identity: identityOfRow(row),
    fileName: row.file_name,
    archivePath: row.archive_path,
    errorCode: row.error_code,
  };
}

/**
 * Step (a): says where the bytes are about to be. A file loaded once more takes them over from the row before it. An
 * attempt that comes after the file was settled changes nothing.
 */
export async function setArchivePath(
  sql: Sql,
  { fileId, archivePath }: { fileId: number; archivePath: string },
): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`
      update ingest.files o set archive_path = null
      from ingest.files f
      where f.file_id = ${fileId} and f.settled_at is null
        and o.file_id = f.retry_of and o.archive_path = f.path`;
    await tx`
      update ingest.files set archive_path = ${archivePath}
      where file_id = ${fileId} and settled_at is null`;
  });
}

/** How settling ended: the bytes are where it says, or another version has the name, or nothing has it. */
export type SettledBytes =
  | { archivePath: string | null }
  | { lost: "replaced" | "missing"; message: string };

/** What settling a file gives back. */
export interface SettledFile {
  result: IngestFileResult;
  /** From the end of writing (or discovery) to the commit of the last row, seconds; null when nothing was loaded. */
  lagSeconds: number | null;
}

/**
 * Last step: nothing remains to be done. A file loaded once more whose place another version has taken gives that place
 * back to the row before it, so that the version there is found again.
 *
 * Does not wait for the disk: what a crash of the server takes back here, the next listing brings about again.
 *
 * @returns null when it was re-opened in the meantime, or settled by another attempt.
 */
export async function markSettled(
  sql: Sql,
  { fileId, epoch }: { fileId: number; epoch: number },
  bytes: SettledBytes,
): Promise<SettledFile | null> {
  const isReplaced = "lost" in bytes && bytes.lost === "replaced";
  const [row] = await sql<(ResultRow & { lag: number | null })[]>`
    with not_waiting as (
      select set_config('synchronous_commit', 'off', true)
    ), settled as (
      update ingest.files
      set settled_at = now(), ${
    "lost" in bytes
      ? sql`archive_path = null, error_code = coalesce(error_code, 'replaced'),
             error_message = coalesce(error_message, ${bytes.message})`
      : sql`archive_path = ${bytes.archivePath}`
  }
      from not_waiting
      where file_id = ${fileId} and epoch = ${epoch} and settled_at is null
        and state not in ('loading', 'unloading')
      returning ${resultColumns(sql)}, file_id, retry_of, path,
                case when state = 'loaded'
                then extract(epoch from committed_at - coalesce(closed_at, discovered_at))::float8 end as lag
    ), given_back as (
      -- Its own path, in the inbox, is looked at anyway.
      update ingest.files o set archive_path = s.path
      from settled s
      where ${isReplaced} and o.file_id = s.retry_of and o.archive_path is null and s.path <> o.path
    )
    select ${resultColumns(sql)}, lag from settled`;
  return row === undefined ? null : { result: toResult(fileId, row), lagSeconds: row.lag };
}

/** Result of a file's workflow, from its row. */
export async function readResult(sql: Sql, fileId: number): Promise<IngestFileResult> {
  const [row] = await sql<ResultRow[]>`
    select ${resultColumns(sql)} from ingest.files where file_id = ${fileId}`;
  if (row === undefined) throw new Error(`Cannot read file ${fileId}: there is no such file`);
  return toResult(fileId, row);
}

interface ResultRow {
  state: FileState;
  records: number | null;
  loaded: number | null;
  duplicates: number | null;
  rejected: number | null;
  error_code: string | null;
  error_message: string | null;
  duplicate_of: number | null;
  archive_path: string | null;
}

function resultColumns(sql: Sql) {
  return sql`state, records, loaded, duplicates, rejected, error_code, error_message, duplicate_of, archive_path`;
}

function toResult(fileId: number, row: ResultRow): IngestFileResult {
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
