import { WorkflowNotFoundError, WorkflowUpdateFailedError } from "@temporalio/client";
import { ApplicationFailure } from "@temporalio/common";
import { markPaused } from "../../activities/statements/mark_paused.ts";
import { TaskError } from "../cli/failures.ts";
import { sleep } from "../cli/sleep.ts";
import type { Running } from "../cli/with_running.ts";
import { type FileProgress, fileProgress } from "../statements/file_progress.ts";
import { findFile } from "../statements/find_file.ts";
import { isPaused } from "../statements/is_paused.ts";
import { refuseOtherInbox } from "./retry_file.ts";

/** A worker that runs answers within moments. */
const ANSWER_DEADLINE_MS = 20_000;
const POLL_MS = 150;

/**
 * Pauses the workflow of a file that is being loaded, or lets it go on, and waits until that has taken effect.
 *
 * @param name file_id or name
 * @returns where the file is then
 * @throws {TaskError} why it cannot be done now, as the workflow says it
 */
export async function steerFile(
  running: Running,
  operation: "pause" | "resume",
  name: string,
): Promise<FileProgress> {
  const { client, sql, inboxId } = running;
  const file = await findFile(sql, name);
  const { fileId, workflowId, settled, state } = file;
  refuseOtherInbox(file, operation, inboxId);
  if (settled) throw new TaskError(`Cannot ${operation} file ${fileId}: it is ${state} already`);
  try {
    await client.connection.withDeadline(
      Date.now() + ANSWER_DEADLINE_MS,
      () => client.workflow.getHandle(workflowId).executeUpdate(operation),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
      const reason = error.cause.message.replace("the file", `file ${fileId}`);
      throw new TaskError(reason);
    }
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    if (operation === "resume") await letGo(running, { fileId, workflowId });
    throw new TaskError(
      `Cannot ${operation} file ${fileId}: its workflow does not run at this moment; the watcher ` +
        "starts it again within seconds",
    );
  }
  return await waitUntil(running, fileId, operation === "pause");
}

/** The workflow was ended from outside while it was paused: the watcher may start it again. */
async function letGo(
  { sql }: Running,
  { fileId, workflowId }: { fileId: number; workflowId: string },
): Promise<void> {
  if (await isPaused(sql, fileId)) await markPaused(sql, { workflowId, paused: false });
}

async function waitUntil(
  { sql }: Running,
  fileId: number,
  paused: boolean,
): Promise<FileProgress> {
  for (;;) {
    const [progress] = await fileProgress(sql, { fileIds: [fileId] });
    if (progress !== undefined) {
      if (progress.settled || await isPaused(sql, fileId) === paused) return progress;
    }
    await sleep(POLL_MS);
  }
}
