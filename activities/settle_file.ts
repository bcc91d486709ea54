import { ApplicationFailure } from "@temporalio/common";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { FAULT_CODES } from "../domain/faults.ts";
import type { IngestFileResult } from "../domain/ingest_api.ts";
import { archiveName, settlesToFailed } from "../domain/ledger.ts";
import { heartbeatAndCheck } from "./activity_context.ts";
import type { ActivityDeps } from "./create_activities.ts";
import { spoolPath } from "./expand_file.ts";
import { moveFile, type MoveOutcome } from "./move_file.ts";
import { completeFile } from "./statements/finish_file.ts";
import { replayOwnUncontradicted } from "./replay_uncontradicted.ts";
import {
  markSettled,
  readResult,
  readSettlingFile,
  setArchivePath,
  type SettledBytes,
  type SettledFile,
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
  const result = await settleRow(deps, row);
  await rm(spoolPath(deps.expansion.spool, row.fileId), { force: true });
  return result;
}

/**
 * Moves the bytes of a file whose state is final, and marks it settled. What was expanded of it stays.
 *
 * @param deps What activities work with.
 * @param row The file as the ledger has it.
 * @param announced Path in the archive that was committed already.
 */
export async function settleRow(
  deps: ActivityDeps,
  row: SettlingFile,
  announced: string | null = null,
): Promise<IngestFileResult> {
  let settled: SettledFile | null = null;
  if (!row.settled) {
    // What its records met may have been taken out while it was loading.
    if (row.state === "loaded" && row.rejected > 0) await replayOwnUncontradicted(deps, row.fileId);
    settled = await moveAndMark(deps, row, announced);
    if (settled !== null) deps.onSettled?.(settled.lagSeconds);
  }
  deps.onChange?.();
  return settled?.result ?? await readResult(deps.sql, row.fileId);
}

/** What was settled; null when it was re-opened, or settled by an attempt beside this one. */
async function moveAndMark(
  deps: ActivityDeps,
  row: SettlingFile,
  announced: string | null,
): Promise<SettledFile | null> {
  if (staysWhereItIs(deps, row)) return await markSettled(deps.sql, row, row);
  const { fileId, identity } = row;
  for (const archivePath of archivePaths(deps, row)) {
    if (archivePath !== announced) await setArchivePath(deps.sql, { fileId, archivePath });
    await deps.hooks?.beforeMove?.(fileId);
    const outcome = await moveFile({
      fileId,
      identity,
      target: archivePath,
      onProgress: (bytesMoved) => heartbeatAndCheck({ fileId, bytesMoved }),
    });
    if (outcome === "taken") continue;
    return await markSettled(deps.sql, row, endOf(row, { archivePath, outcome }));
  }
  return null;
}

function endOf(
  { identity: { path }, archivePath: before }: SettlingFile,
  { archivePath, outcome }: { archivePath: string; outcome: Exclude<MoveOutcome, "taken"> },
): SettledBytes {
  if (outcome === "moved") return { archivePath };
  if (outcome === "replaced") {
    const { message, advice } = FAULT_CODES.replaced;
    return { lost: outcome, message: `Cannot move ${path}: ${message}. ${advice}` };
  }
  // It had been moved before it was unloaded, and somebody has edited it in the archive since.
  if (before !== null && before !== archivePath) return { archivePath: before };
  return {
    lost: outcome,
    message: `Cannot move ${path}: somebody removed it. Its rows are not affected.`,
  };
}

/** Bytes stay when they were never read, or when the policy says so and nothing was moved under another one before. */
function staysWhereItIs({ archivePolicy }: ActivityDeps, row: SettlingFile): boolean {
  if (UNREAD_CODES.has(row.errorCode ?? "")) return true;
  return row.archivePath === null && archivePolicy === "keep";
}

/**
 * Where the bytes may go, first where an attempt before may have brought them. Numbers of files begin anew with each
 * database, and an archive outlives it: another file may have the name.
 */
function* archivePaths({ directories }: ActivityDeps, row: SettlingFile): Generator<string> {
  if (row.archivePath !== null) yield row.archivePath;
  const directory = settlesToFailed(row.state) ? directories.failed : directories.archive;
  const name = archiveName(row.fileName, row.fileId);
  if (row.archivePath === null) yield join(directory, name);
  for (let number = 2;; number++) yield join(directory, archiveName(name, number));
}

/** Where the bytes of a file go if nothing has that name; null when they stay where they are. */
export function firstArchivePath(deps: ActivityDeps, row: SettlingFile): string | null {
  return staysWhereItIs(deps, row) ? null : archivePaths(deps, row).next().value ?? null;
}

/** Failures that left another version, or nothing of ours, at the path. */
const UNREAD_CODES = new Set(["refused", "changed", "vanished", "unreadable_name"]);
