import { fileNameOf } from "../../domain/file_name_of.ts";
import { decideClaim, type FileState } from "../../domain/ledger.ts";
import type { FileIdentity, IngestFileInput } from "../../domain/ingest_api.ts";
import type { Sql, Transaction } from "../database.ts";
import { identityOfRow } from "./identity_of_row.ts";
import { lockName } from "./lock_name.ts";

/** What a claim found or made: the ledger row, and what to do with it. */
export interface ClaimedFile {
  step: "inspect" | "unload" | "settle" | "done";
  fileId: number;
  epoch: number;
  /** The version of the file that this row stands for. */
  identity: FileIdentity;
  fileName: string;
  archivePath: string | null;
  /** Hash found by an earlier inspection; null while unread. */
  sha256: string | null;
}

/** The row was claimed by another workflow in the meantime. */
export interface LostFile {
  step: "yield";
  fileId: number;
  ownerWorkflowId: string;
}

/** Who claims a file. */
export interface Claimant {
  workflowId: string;
  runId: string;
  contractVersion: number;
}

interface FileRow {
  file_id: number;
  state: FileState;
  settled: boolean;
  epoch: number;
  workflow_id: string;
  path: string;
  file_name: string;
  archive_path: string | null;
  ino: number;
  size_bytes: number;
  mtime_ms: number;
  ctime_ms: number;
  sha256: string | null;
}

/**
 * First step of every run: finds the row of this workflow (or of the file that an operation named) before the file is
 * touched, or makes one. Raises the epoch of a file that is to be loaded, so that an attempt before this one can no
 * longer write (fencing).
 *
 * @param sql Pool of the ingest role.
 * @param input What the workflow was started with.
 * @param workflow Who claims.
 */
export function claimFile(
  sql: Sql,
  input: IngestFileInput,
  workflow: Claimant,
): Promise<ClaimedFile | LostFile> {
  return sql.begin(async (tx) => {
    const [known] = await tx<FileRow[]>`
      select file_id, state, settled_at is not null as settled, epoch, workflow_id,
             path, file_name, archive_path, ino, size_bytes, mtime_ms, ctime_ms, sha256
      from ingest.files
      where ${
      input.fileId === undefined
        ? tx`workflow_id = ${workflow.workflowId}`
        : tx`file_id = ${input.fileId}`
    }
      for update`;
    if (known === undefined) {
      if (input.fileId === undefined) {
        await lockName(tx, input);
        return await insertFile(tx, input, workflow);
      }
      throw new Error(`Cannot claim file ${input.fileId}: there is no such file`);
    }
    if (known.workflow_id !== workflow.workflowId) {
      return { step: "yield", fileId: known.file_id, ownerWorkflowId: known.workflow_id };
    }
    const step = decideClaim(known);
    if (step !== "inspect") return toClaimedFile(known, step);
    const [raised] = await tx<{ epoch: number }[]>`
      update ingest.files set epoch = epoch + 1, run_id = ${workflow.runId}, paused_at = null
      where file_id = ${known.file_id} returning epoch`;
    return { ...toClaimedFile(known, step), epoch: raised?.epoch ?? known.epoch + 1 };
  }) as Promise<ClaimedFile | LostFile>;
}

/** Makes the row of a file that nothing is known of; a second row of one workflow is refused. */
async function insertFile(
  tx: Transaction,
  input: IngestFileInput,
  workflow: Claimant,
): Promise<ClaimedFile> {
  const [row] = await tx<FileRow[]>`
    insert into ingest.files ${tx(claimColumns(input, workflow))}
    returning file_id, state, false as settled, epoch, workflow_id,
       path, file_name, archive_path, ino, size_bytes, mtime_ms, ctime_ms, sha256`;
  return toClaimedFile(row as FileRow, "inspect");
}

/** Columns of `ingest.files` that a claim knows of a new file. */
export function claimColumns(
  { feed, inboxId, identity, discoveredAt, closedAt }: IngestFileInput,
  { workflowId, runId, contractVersion }: Claimant,
) {
  return {
    feed,
    contract_version: contractVersion,
    inbox_id: inboxId,
    path: identity.path,
    file_name: fileNameOf(identity.path),
    ino: identity.ino,
    size_bytes: identity.sizeBytes,
    mtime_ms: identity.mtimeMs,
    ctime_ms: identity.ctimeMs,
    workflow_id: workflowId,
    run_id: runId,
    closed_at: closedAt,
    discovered_at: discoveredAt,
  };
}

function toClaimedFile(row: FileRow, step: ClaimedFile["step"]): ClaimedFile {
  return {
    step,
    fileId: row.file_id,
    epoch: row.epoch,
    identity: identityOfRow(row),
    fileName: row.file_name,
    archivePath: row.archive_path,
    sha256: row.sha256,
  };
}
