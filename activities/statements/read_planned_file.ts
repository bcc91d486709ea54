import type { FileIdentity } from "../../domain/ingest_api.ts";
import type { Sql } from "../database.ts";
import { identityOfRow } from "./identity_of_row.ts";
import type { StoredDialect } from "./record_plan.ts";

/** A file whose plan is stored, with those of its chunks that a span has still to load. */
export interface PlannedFile {
  fileId: number;
  feed: string;
  fileName: string;
  identity: FileIdentity;
  archivePath: string | null;
  /** Milliseconds since 1970. */
  discoveredAt: number;
  dialect: StoredDialect;
  header: readonly string[];
  /** A chunk of it had events that were there already. */
  hasOldEvents: boolean;
  chunks: {
    chunkNo: number;
    byteStart: number;
    byteEnd: number;
    firstLine: number;
    records: number;
    checksum: string;
  }[];
}

/**
 * Reads what a span needs to know.
 *
 * @param options.withCommitted Gives also the chunks that are committed already.
 */
export async function readPlannedFile(
  sql: Sql,
  fileId: number,
  { firstChunk, endChunk, withCommitted = false }: {
    firstChunk: number;
    endChunk: number;
    withCommitted?: boolean;
  },
): Promise<PlannedFile> {
  const [file] = await sql<{
    feed: string;
    file_name: string;
    path: string;
    ino: number;
    size_bytes: number;
    mtime_ms: number;
    ctime_ms: number;
    archive_path: string | null;
    discovered_at: Date;
    dialect: StoredDialect;
    header: readonly string[];
    has_old_events: boolean;
  }[]>`
    select feed, file_name, path, ino, size_bytes, mtime_ms, ctime_ms, archive_path, discovered_at, dialect,
           header,
           exists (select from ingest.chunks c where c.file_id = f.file_id and c.duplicates > 0) as has_old_events
    from ingest.files f where file_id = ${fileId}`;
  if (file === undefined) throw new Error(`Cannot load file ${fileId}: there is no such file`);
  const chunks = await sql<PlannedFile["chunks"]>`
    select chunk_no as "chunkNo", byte_start as "byteStart", byte_end as "byteEnd",
           first_line as "firstLine", records, checksum
    from ingest.chunks
    where file_id = ${fileId} and chunk_no >= ${firstChunk} and chunk_no < ${endChunk}
      and (committed_at is null or ${withCommitted})
    order by chunk_no`;
  return {
    fileId,
    feed: file.feed,
    fileName: file.file_name,
    identity: identityOfRow(file),
    archivePath: file.archive_path,
    discoveredAt: file.discovered_at.getTime(),
    dialect: file.dialect,
    header: file.header,
    hasOldEvents: file.has_old_events,
    chunks,
  };
}
