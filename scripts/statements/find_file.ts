import type { Sql } from "../../activities/database.ts";
import type { FileIdentity } from "../../domain/ingest_api.ts";
import type { FileState } from "../../domain/ledger.ts";
import { TaskError } from "../cli/failures.ts";

/** A file of the ledger, as operations on it need it. */
export interface FoundFile {
  fileId: number;
  fileName: string;
  feed: string;
  contractVersion: number;
  inboxId: string;
  /** The version that was discovered; its path is where the bytes were read. */
  identity: FileIdentity;
  archivePath: string | null;
  state: FileState;
  settled: boolean;
  workflowId: string;
  errorCode: string | null;
}

/**
 * Finds a file by its number, or its newest version by its name: the one under which it landed, or the
 * one that it has in the archive.
 *
 * @throws {TaskError} when there is none
 */
export async function findFile(sql: Sql, file: string): Promise<FoundFile> {
  const fileId = /^\d{1,15}$/.test(file) ? Number(file) : null;
  const [found] = await sql<FoundFile[]>`
    select file_id as "fileId", file_name as "fileName", feed, contract_version as "contractVersion",
           inbox_id as "inboxId",
           json_build_object('path', path, 'ino', ino, 'sizeBytes', size_bytes,
                             'mtimeMs', mtime_ms, 'ctimeMs', ctime_ms) as identity,
           archive_path as "archivePath", state,
           settled_at is not null as settled, workflow_id as "workflowId", error_code as "errorCode"
    from ingest.files
    where case when ${fileId}::bigint is not null then file_id = ${fileId}
               else file_name = ${file} or right(archive_path, length(${file}) + 1) = '/' || ${file}
          end
    order by file_id desc
    limit 1`;
  if (found) return found;
  throw new TaskError(
    `Cannot find file ${file}: the ledger has no file of this number or name; see ` +
      "`deno task files list`",
  );
}
