import { abandonFile } from "../../activities/statements/finish_file.ts";
import { discoveredInput } from "../../domain/discovery.ts";
import { operationWorkflowId } from "../../domain/workflow_ids.ts";
import { TaskError } from "../cli/failures.ts";
import type { Running } from "../cli/with_running.ts";
import type { Config } from "../config.ts";
import { replayFile } from "../rejects/replay_file.ts";
import { ingestSettings } from "../services/pipeline_settings.ts";
import { startIngestion } from "../services/start_ingestion.ts";
import { copiesOf, olderVersion, rejectsOfFreedEvents } from "../statements/copies_of.ts";
import type { FileProgress } from "../statements/file_progress.ts";
import { findFile, type FoundFile } from "../statements/find_file.ts";
import { refuseOtherInbox } from "./retry_file.ts";
import { waitUntilSettled } from "./wait_until_settled.ts";

/** A file that was taken out, and what that makes possible. */
export interface Unloaded {
  readonly file: FileProgress;
  /** Files with the same bytes that could be loaded instead. */
  readonly copies: number[];
  /** Records of other files that contradicted its events, and are loaded now. */
  readonly replayed: number;
}

/**
 * Takes a loaded file out again, waits for it, and replays what had contradicted its events. Events that another file
 * also has are handed over to that one.
 *
 * @param name file_id or name
 * @throws {TaskError} when it is not loaded
 */
export async function unloadFile(
  running: Running,
  name: string,
  config: Config,
): Promise<Unloaded> {
  const file = await findFile(running.sql, name);
  refuseOtherInbox(file, "unload", running.inboxId);
  const unloaded = await takeOut(running, file, config);
  let replayed = 0;
  for (const fileId of await rejectsOfFreedEvents(running.sql, file.fileId)) {
    const { loaded } = await replayFile(running, config, { fileId, code: "conflicting_event" });
    replayed += loaded;
  }
  return { file: unloaded, copies: await copiesOf(running.sql, file.fileId), replayed };
}

/**
 * Applies a correction: takes out the version before, then replays what of the new one had contradicted it.
 *
 * @param name file_id or name of the new version
 * @throws {TaskError} when it supersedes nothing that is loaded
 */
export async function replaceFile(
  running: Running,
  name: string,
  config: Config,
): Promise<FileProgress> {
  const { sql, inboxId } = running;
  const file = await findFile(sql, name);
  refuseOtherInbox(file, "replace", inboxId);
  if (file.state !== "loaded") {
    throw new TaskError(`Cannot replace by file ${file.fileId}: it is ${file.state}`);
  }
  const supersedes = await olderVersion(sql, file.fileId);
  if (supersedes === null) {
    throw new TaskError(
      `Cannot replace by file ${file.fileId}: no older version of ${file.fileName} is known`,
    );
  }
  const older = await findFile(sql, String(supersedes));
  if (older.state === "loaded" || older.state === "unloading") {
    await takeOut(running, older, config);
  }
  await replayFile(running, config, { fileId: file.fileId, code: "conflicting_event" });
  return await waitUntilSettled(sql, file.fileId);
}

async function takeOut(
  { client, sql, inboxId }: Running,
  file: FoundFile,
  config: Config,
): Promise<FileProgress> {
  const { fileId, feed, identity } = file;
  const workflowId = operationWorkflowId("unload", inboxId, fileId);
  const { next, state } = await abandonFile(sql, { fileId, unloadTo: "unloaded" }, { workflowId });
  if (next === "refused") throw new TaskError(`Cannot unload file ${fileId}: it is ${state}`);
  const input = discoveredInput({
    feed,
    inboxId,
    identity,
    discoveredAt: Date.now(),
    settings: ingestSettings(config, false),
  });
  await startIngestion(client, {
    input: { ...input, closedAt: null, shortWay: false, fileId },
    workflowId,
    again: true,
    eager: false,
    workflowTaskTimeoutMs: config.workflowTaskTimeoutMs,
  });
  return await waitUntilSettled(sql, fileId);
}
