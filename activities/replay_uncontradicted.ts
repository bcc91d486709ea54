import { ApplicationFailure } from "@temporalio/common";
import type { ActivityDeps } from "./create_activities.ts";
import { replayRejects } from "./replay_rejects.ts";
import { uncontradictedFiles } from "./statements/uncontradicted.ts";

/**
 * Loads records in conflict that nothing contradicts any more, in files of any inbox: the last step of taking records
 * out. Keys and quarantine say which these are, so an attempt after a crash finds what is left.
 *
 * @param deps What activities work with.
 * @param fileId The file whose records were taken out; nothing of it is replayed while it is unloading.
 */
export async function replayUncontradicted(deps: ActivityDeps, fileId: number): Promise<void> {
  for (const other of await uncontradictedFiles(deps.sql, fileId)) {
    await replayOwnUncontradicted(deps, other);
  }
}

/** The same for one file, such as one that was still loading when the records it had met were taken out. */
export async function replayOwnUncontradicted(deps: ActivityDeps, fileId: number): Promise<void> {
  try {
    await replayRejects(deps, { fileId, onlyUncontradicted: true });
  } catch (error) {
    // It is being taken out itself.
    if (!(error instanceof ApplicationFailure && error.type === "NotLoaded")) throw error;
  }
}
