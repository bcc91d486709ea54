import { ApplicationFailure } from "@temporalio/common";
import { heartbeatAndCheck } from "./activity_context.ts";
import { beginsWith } from "./begins_with.ts";
import { contractOf } from "./contract_of.ts";
import type { ActivityDeps } from "./create_activities.ts";
import { findCutLine } from "./find_cut_line.ts";
import { openPlanned } from "./open_planned.ts";
import { openVersion } from "./open_version.ts";
import { replayUncontradicted } from "./replay_uncontradicted.ts";
import type { PlannedFile } from "./statements/read_planned_file.ts";
import { finishPredecessor, unfinishedPredecessors } from "./statements/unfinished_predecessors.ts";
import { unloadCutRecord } from "./statements/unload_chunk.ts";

/**
 * A writer that paused may have been read within a record. When the version that grew from it comes, that record is taken
 * out of the older one first, so that the whole record is loaded in place of the cut one. What had contradicted the cut
 * record comes before: it may be the same as the whole one, as when the newer version is a copy of that other file.
 *
 * @param deps What activities work with.
 * @param file The newer version, planned; its plan need not be stored.
 * @throws Retryable failure `PredecessorLoading` while the older version has not come to its end.
 */
export async function unloadCutPredecessor(
  deps: ActivityDeps,
  file: PlannedFile,
): Promise<void> {
  const { sql } = deps;
  const candidates = await unfinishedPredecessors(sql, file.fileId);
  if (candidates.length === 0) return;
  const opened = await openVersion(file);
  // Found out again, and said, when its chunks are read.
  if ("fault" in opened) return;
  try {
    for (const older of candidates) {
      if (older.state === "unread") throw stillLoading(older.fileId);
      const onProgress = (bytesCompared: number) => heartbeatAndCheck({ bytesCompared });
      if (!await beginsWith(opened.handle, older, onProgress)) continue;
      if (older.state === "loading") throw stillLoading(older.fileId);
      const line = await findLine(deps, file, older.end);
      if (line === null) continue;
      await unloadCutRecord(sql, older.fileId, line);
      await replayUncontradicted(deps, older.fileId);
      await finishPredecessor(sql, older.fileId);
    }
  } finally {
    await opened.handle.close();
  }
}

async function findLine(deps: ActivityDeps, file: PlannedFile, end: number) {
  const handle = await openPlanned(deps, file);
  try {
    return await findCutLine(handle, { file, contract: contractOf(deps, file.feed), end });
  } finally {
    await handle.close();
  }
}

function stillLoading(fileId: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: "PredecessorLoading",
    message: `Cannot load the file yet: it may have grown from file ${fileId}, which is still ` +
      "loading. It is tried again.",
    category: "BENIGN",
  });
}
