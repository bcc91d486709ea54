import { ApplicationFailure } from "@temporalio/common";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { FAULT_CODES } from "../domain/faults.ts";
import type { IngestFileResult } from "../domain/ingest_api.ts";
import { archiveName, settlesToFailed } from "../domain/ledger.ts";
import type { ActivityDeps } from "./create_activities.ts";
import { spoolPath } from "./expand_file.ts";
import { moveFile } from "./move_file.ts";
import { completeFile } from "./statements/finish_file.ts";
import {
  markSettled,
  readResult,
  readSettlingFile,
  setArchivePath,
  type SettlingFile,
} from "./statements/settle_statements.ts";

/**
 * Ends a file: sums and proves its counts if it was just loaded, moves its bytes out of the inbox step by step, and
 * marks it settled. May be repeated from any point.
 *
 * @param deps What activities work with.
 * @param file The file; with the claim that loaded it when it still has to be declared complete.
 */
export async function settleFile(
  deps: ActivityDeps,
  file: { fileId: number; epoch?: number },
): Promise<IngestFileResult> {
  const { sql } = deps;
  let row = await readSettlingFile(sql, file.fileId);
  if (row.state === "loading" && file.epoch !== undefined) {
    await completeFile(sql, { fileId: file.fileId, epoch: file.epoch });
    await deps.hooks?.afterComplete?.(file.fileId);
    row = await readSettlingFile(sql, file.fileId);
  }
  if (row.state === "loading" || row.state === "unloading") {
    throw ApplicationFailure.nonRetryable(
      `Cannot settle file ${row.fileId}: it was claimed again and is ${row.state}`,
      "StaleClaim",
    );
  }
  if (!row.settled) await moveAndMark(deps, row);
  await rm(spoolPath(deps.expansion.spool, file.fileId), { force: true });
  return readResult(sql, file.fileId);
}

async function moveAndMark(deps: ActivityDeps, row: SettlingFile): Promise<void> {
  const target = targetPath(deps, row);
  if (target === null) {
    await markSettled(deps.sql, row);
    return;
  }
  await setArchivePath(deps.sql, { fileId: row.fileId, archivePath: target });
  await deps.hooks?.beforeMove?.(row.fileId);
  const outcome = await moveFile({ fileId: row.fileId, identity: row.identity, target });
  await markSettled(deps.sql, row, {
    replaced: outcome !== "moved",
    message: outcome === "replaced"
      ? `Cannot move ${row.identity.path}: ${FAULT_CODES.replaced.message}. ${FAULT_CODES.replaced.advice}`
      : `Cannot move ${row.identity.path}: somebody removed it. Its rows are not affected.`,
  });
}

/** Where the bytes go; null when they stay, because they were never read or the policy says so. */
function targetPath(
  { directories, archivePolicy }: ActivityDeps,
  row: SettlingFile,
): string | null {
  if (UNREAD_CODES.has(row.errorCode ?? "")) return null;
  if (row.archivePath !== null) return row.archivePath;
  if (archivePolicy === "keep") return null;
  const directory = settlesToFailed(row.state) ? directories.failed : directories.archive;
  return join(directory, archiveName(row.fileName, row.fileId));
}

/** Failures that left another version, or nothing of ours, at the path. */
const UNREAD_CODES = new Set(["refused", "changed", "vanished", "unreadable_name"]);
