import { heartbeatAndCheck } from "./activity_context.ts";
import { beginsWith } from "./begins_with.ts";
import type { ActivityDeps } from "./create_activities.ts";
import { openVersion } from "./open_version.ts";
import type { ClaimedFile } from "./statements/claim_file.ts";
import { unfinishedPredecessor } from "./statements/unfinished_predecessor.ts";
import { unloadCutRecord } from "./statements/unload_chunk.ts";

/**
 * A writer that paused may have been read within a record. When the version that grew from it comes, that record is taken
 * out of the older one first, so that the whole record is loaded in place of the cut one.
 *
 * @param deps What activities work with.
 * @param version The version whose plan was just stored, in its place.
 */
export async function unloadCutPredecessor(
  { sql }: ActivityDeps,
  version: ClaimedFile,
  fileId: number,
): Promise<void> {
  const older = await unfinishedPredecessor(sql, fileId);
  if (older === undefined) return;
  const opened = await openVersion(version);
  // Found out again, and said, when its chunks are read.
  if ("fault" in opened) return;
  try {
    const onProgress = (bytesCompared: number) => heartbeatAndCheck({ bytesCompared });
    if (!await beginsWith(opened.handle, older, onProgress)) return;
  } finally {
    await opened.handle.close();
  }
  await unloadCutRecord(sql, older.fileId);
}
