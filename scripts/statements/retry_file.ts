import type { Sql } from "../../activities/database.ts";
import type { FileIdentity } from "../../domain/ingest_api.ts";
import { operationWorkflowId } from "../../domain/workflow_ids.ts";
import type { FoundFile } from "./find_file.ts";

/** The row that loads a file once more. */
export interface RetryRow {
  fileId: number;
  workflowId: string;
  discoveredAt: Date;
}

/** The newest retry of a file. */
export async function findRetry(
  sql: Sql,
  fileId: number,
): Promise<{ fileId: number; settled: boolean } | undefined> {
  const [row] = await sql<{ fileId: number; settled: boolean }[]>`
    select file_id as "fileId", settled_at is not null as settled
    from ingest.files where retry_of = ${fileId}
    order by file_id desc limit 1`;
  return row;
}

/**
 * Makes the row of a retry. Of several that are asked for at once, one makes it.
 *
 * @param sql Pool of the ingest role.
 * @param file The file that was not loaded.
 * @param identity What lies where its bytes are.
 * @returns undefined when another retry of the file is under way
 */
export async function insertRetry(
  sql: Sql,
  file: FoundFile,
  identity: FileIdentity,
): Promise<RetryRow | undefined> {
  const { fileId, feed, contractVersion, inboxId, fileName } = file;
  return await sql.begin(async (tx) => {
    await tx`select from ingest.files where file_id = ${fileId} for update`;
    const running = await tx`
      select from ingest.files where retry_of = ${fileId} and settled_at is null`;
    if (running.length > 0) return undefined;
    const [row] = await tx<{ fileId: number; discoveredAt: Date }[]>`
      insert into ingest.files
        (feed, contract_version, inbox_id, path, file_name, ino, size_bytes, mtime_ms, ctime_ms,
         workflow_id, discovered_at, retry_of)
      values (${feed}, ${contractVersion}, ${inboxId}, ${identity.path}, ${fileName}, ${identity.ino},
         ${identity.sizeBytes}, ${identity.mtimeMs}, ${identity.ctimeMs},
         ${`retry/${inboxId}/new/${crypto.randomUUID()}`}, now(), ${fileId})
      returning file_id as "fileId", discovered_at as "discoveredAt"`;
    // Its number is known only now, and nobody else sees the row before the transaction ends.
    const workflowId = operationWorkflowId("retry", inboxId, row!.fileId);
    await tx`update ingest.files set workflow_id = ${workflowId} where file_id = ${row!.fileId}`;
    return { ...row!, workflowId };
  }) as RetryRow | undefined;
}
