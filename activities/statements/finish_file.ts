import type { PendingQuery, Row } from "postgres";
import type { FileFaultCode } from "../../domain/faults.ts";
import type { UnloadRequest } from "../../domain/ingest_api.ts";
import type { FileState } from "../../domain/ledger.ts";
import type { Sql, Transaction } from "../database.ts";
import { lockClaim } from "./lock_claim.ts";

/**
 * Declares a file complete: all chunks are committed, their counts summed, and the sums proven (I1) before the state
 * changes. Nothing else writes the counts of a file.
 *
 * @param sql Pool of the ingest role.
 * @param claim The claim that loaded it.
 */
export async function completeFile(
  sql: Sql,
  claim: { fileId: number; epoch: number },
): Promise<void> {
  await sql.begin(async (tx) => {
    await lockClaim(tx, claim, "update");
    const [updated] = await tx`
      update ingest.files f
      set state = 'loaded', committed_at = now(), records = s.records, loaded = s.loaded,
          duplicates = s.duplicates, rejected = s.rejected,
          supersedes = ${
      supersededBy(tx, {
        inbox_id: tx`f.inbox_id`,
        file_name: tx`f.file_name`,
        file_id: claim.fileId,
        retry_of: tx`f.retry_of`,
      })
    }
      from (
        select coalesce(sum(c.records), 0) as records, coalesce(sum(c.loaded), 0) as loaded,
               coalesce(sum(c.duplicates), 0) as duplicates, coalesce(sum(c.rejected), 0) as rejected,
               coalesce(min(c.byte_start), max(p.data_end)) as byte_start,
               coalesce(max(c.byte_end), max(p.data_end)) as byte_end,
               coalesce(sum(c.byte_end - c.byte_start), 0) as bytes,
               count(*) filter (where c.chunk_no is not null and c.committed_at is null) as open_chunks
        from ingest.files p left join ingest.chunks c using (file_id)
        where p.file_id = ${claim.fileId}
      ) s
      where f.file_id = ${claim.fileId} and s.open_chunks = 0
        and s.byte_start = f.data_start and s.byte_end = f.data_end
        and s.bytes = f.data_end - f.data_start
        and s.records = s.loaded + s.duplicates + s.rejected
      returning f.file_id`;
    if (updated !== undefined) return;
    throw new Error(
      `Cannot complete file ${claim.fileId}: its chunks do not cover it or do not add up. ` +
        `Run \`deno task verify\`.`,
    );
  });
}

/**
 * The version that a file replaces. Asked when the file is loaded, and not with its plan: then it may have been loading.
 *
 * @param file Values, or where they are found.
 * @returns An expression.
 */
export function supersededBy(
  tx: Transaction,
  file: Record<
    "inbox_id" | "file_name" | "file_id" | "retry_of",
    string | number | null | PendingQuery<Row[]>
  >,
) {
  return tx`
    (select max(o.file_id) from ingest.files o
     where o.inbox_id = ${file.inbox_id} and o.file_name = ${file.file_name}
       and o.file_id < ${file.file_id} and o.state in ('loaded', 'unloading')
       and o.file_id is distinct from ${file.retry_of})`;
}

/** What an abandoned file needs next. */
export type Abandoned = { next: "unload" | "settle" | "refused"; state: FileState };

/**
 * Gives a file up, or takes it back: raises the epoch, so that no attempt under way can write any more, and either ends
 * the file at once (nothing was committed) or sends it through unloading.
 *
 * @param sql Pool of the ingest role.
 * @param request The file and what it shall become. `unloaded` applies to loaded files, the others to loading ones.
 * @param options.epoch When given, the file must still be in this claim.
 * @param options.workflowId When given, becomes the owner of the file.
 * @param options.replacedBy The version that the file makes room for.
 */
export function abandonFile(
  sql: Sql,
  { fileId, unloadTo, errorCode, errorMessage }: UnloadRequest,
  { epoch, workflowId, replacedBy }: {
    epoch?: number;
    workflowId?: string;
    replacedBy?: number;
  } = {},
): Promise<Abandoned> {
  return sql.begin(async (tx) => {
    if (epoch !== undefined) await lockClaim(tx, { fileId, epoch }, "update");
    const [file] = await tx<{ state: FileState }[]>`
      select state from ingest.files where file_id = ${fileId} for update`;
    const expected = unloadTo === "unloaded" ? "loaded" : "loading";
    if (file === undefined) throw new Error(`Cannot unload file ${fileId}: there is no such file`);
    const isUnderWay = file.state === "unloading";
    if (!isUnderWay && file.state !== expected) return { next: "refused", state: file.state };
    if (replacedBy !== undefined) {
      await tx`update ingest.files set replaced_by = ${replacedBy} where file_id = ${fileId}`;
    }
    if (isUnderWay) return { next: "unload", state: file.state };
    const [{ committed } = { committed: false }] = await tx<{ committed: boolean }[]>`
      select exists (select from ingest.chunks
                     where file_id = ${fileId} and committed_at is not null) as committed`;
    await tx`
      update ingest.files
      set state = 'unloading', unload_to = ${unloadTo}, epoch = epoch + 1, settled_at = null,
          committed_at = null, paused_at = null,
          workflow_id = coalesce(${workflowId ?? null}, workflow_id),
          error_code = ${errorCode ?? null}, error_message = ${errorMessage ?? null}
      where file_id = ${fileId}`;
    if (committed) return { next: "unload", state: "unloading" };
    await endUnload(tx, fileId);
    return { next: "settle", state: unloadTo };
  }) as Promise<Abandoned>;
}

/**
 * Ends the unloading of a file whose chunks count nothing any more. A file that failed or was cancelled hands its place
 * to its oldest duplicate, in a later statement of the same transaction, so that the content is loaded after all.
 *
 * @param tx Transaction that holds the file's row for update.
 * @param fileId The file.
 */
export async function endUnload(tx: Transaction, fileId: number): Promise<void> {
  const [file] = await tx<{ state: FileState }[]>`
    update ingest.files
    set state = unload_to, unload_to = null, records = null, loaded = null, duplicates = null, rejected = null
    where file_id = ${fileId} and state = 'unloading'
    returning state`;
  if (file?.state !== "failed" && file?.state !== "cancelled") return;
  const [reopened] = await tx<{ file_id: number }[]>`
    update ingest.files f
    set state = 'loading', duplicate_of = null, sha256 = null, epoch = epoch + 1, settled_at = null,
        committed_at = null, records = null, loaded = null, duplicates = null, rejected = null,
        workflow_id = 'reopen/' || f.inbox_id || '/' || f.file_id
    where f.file_id = (
      select min(d.file_id) from ingest.files d join ingest.files o on o.file_id = d.duplicate_of
      where o.file_id = ${fileId} and d.state = 'duplicate'
        -- Where files are kept they lie at their paths; a second sighting of one path has no bytes of its own.
        and (d.archive_path is not null or d.settled_at is null
             or (d.error_code is null and (d.inbox_id, d.path) <> (o.inbox_id, o.path))))
    returning f.file_id`;
  if (reopened === undefined) return;
  await tx`
    update ingest.files set duplicate_of = ${reopened.file_id}
    where duplicate_of = ${fileId} and state = 'duplicate'`;
}

/** Writes the row of a directory entry that is never read: not a regular file, or a name nobody can open. */
export async function recordRefusedEntry(
  sql: Sql,
  entry: {
    feed: string;
    contractVersion: number;
    inboxId: string;
    workflowId: string;
    path: string;
    fileName: string;
    ino: number;
    sizeBytes: number;
    mtimeMs: number;
    ctimeMs: number;
    errorCode: FileFaultCode;
    errorMessage: string;
  },
): Promise<boolean> {
  const rows = await sql`
    insert into ingest.files
      (feed, contract_version, inbox_id, path, file_name, ino, size_bytes, mtime_ms, ctime_ms, state,
       workflow_id, error_code, error_message, discovered_at, settled_at)
    values (${entry.feed}, ${entry.contractVersion}, ${entry.inboxId}, ${entry.path}, ${entry.fileName},
       ${entry.ino}, ${entry.sizeBytes}, ${entry.mtimeMs}, ${entry.ctimeMs}, 'failed',
       ${entry.workflowId}, ${entry.errorCode}, ${entry.errorMessage}, now(), now())
    on conflict (workflow_id) do nothing
    returning file_id`;
  return rows.length > 0;
}
