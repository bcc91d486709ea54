import { WorkflowNotFoundError } from "@temporalio/client";
import { mayCancel } from "../../domain/ledger.ts";
import { TaskError } from "../cli/failures.ts";
import type { Running } from "../cli/with_running.ts";
import type { FileProgress } from "../statements/file_progress.ts";
import { findFile } from "../statements/find_file.ts";
import { refuseOtherInbox } from "./retry_file.ts";
import { waitUntilSettled } from "./wait_until_settled.ts";

/**
 * Cancels the workflow of a file that is being loaded, and waits until what it had loaded is taken out.
 *
 * @param name file_id or name
 * @throws {TaskError} when it is complete already, or was before the cancellation arrived
 */
export async function cancelFile(running: Running, name: string): Promise<FileProgress> {
  const { client, sql, inboxId } = running;
  const file = await findFile(sql, name);
  const { fileId, state, workflowId } = file;
  refuseOtherInbox(file, "cancel", inboxId);
  if (!mayCancel(state)) {
    throw new TaskError(`Cannot cancel file ${fileId}: it is ${state} already`);
  }
  try {
    await client.workflow.getHandle(workflowId).cancel();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new TaskError(
      `Cannot cancel file ${fileId}: its workflow does not run at this moment; the watcher starts it ` +
        "again within seconds, then repeat the command",
    );
  }
  const result = await waitUntilSettled(sql, fileId);
  if (result.state === "cancelled") return result;
  throw new TaskError(
    `Cannot cancel file ${fileId}: it was ${result.state} before the cancellation arrived`,
  );
}
