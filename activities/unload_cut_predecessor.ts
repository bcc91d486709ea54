import { ApplicationFailure } from "@temporalio/common";
import { heartbeatAndCheck } from "./activity_context.ts";
import { beginsWith } from "./begins_with.ts";
import type { ActivityDeps } from "./create_activities.ts";
import { openVersion } from "./open_version.ts";
import type { ClaimedFile } from "./statements/claim_file.ts";
import { unfinishedPredecessors } from "./statements/unfinished_predecessors.ts";
import { unloadCutRecord } from "./statements/unload_chunk.ts";

/**
 * A writer that paused may have been read within a record. When the version that grew from it comes, that record is taken
 * out of the older one first, so that the whole record is loaded in place of the cut one.
 *
 * @param deps What activities work with.
 * @param version The version whose plan was just stored, in its place.
 * @throws Retryable failure `PredecessorLoading` while the older version has not come to its end.
 */
export async function unloadCutPredecessor(
  { sql }: ActivityDeps,
  version: ClaimedFile,
  fileId: number,
): Promise<void> {
  const candidates = await unfinishedPredecessors(sql, fileId);
  if (candidates.length === 0) return;
  const opened = await openVersion(version);
  // Found out again, and said, when its chunks are read.
  if ("fault" in opened) return;
  try {
    for (const older of candidates) {
      const onProgress = (bytesCompared: number) => heartbeatAndCheck({ bytesCompared });
      if (!await beginsWith(opened.handle, older, onProgress)) continue;
      if (older.isLoading) throw stillLoading(older.fileId);
      await unloadCutRecord(sql, older.fileId);
    }
  } finally {
    await opened.handle.close();
  }
}

function stillLoading(fileId: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: "PredecessorLoading",
    message: `Cannot load the file yet: it grew from file ${fileId}, which is still loading. ` +
      "It is tried again.",
    category: "BENIGN",
  });
}
