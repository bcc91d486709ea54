import { WorkflowExecutionAlreadyStartedError } from "@temporalio/client";
import { type ReplayInput, type ReplayResult, taskQueue } from "../../domain/ingest_api.ts";
import { operationWorkflowId } from "../../domain/workflow_ids.ts";
import type { replayRejects } from "../../workflows/replay_rejects.ts";
import type { Running } from "../cli/with_running.ts";
import type { Config } from "../config.ts";
import { ingestSettings } from "../services/pipeline_settings.ts";

/**
 * Replays rejects of one file by its workflow, and waits for the result. One that runs already may have been asked for
 * something else, and has read its rejects before ours were corrected: it is waited for, and then ours begins.
 *
 * @param which Ids and codes only; the corrections stand in the quarantine.
 */
export async function replayFile(
  { client, inboxId }: Pick<Running, "client" | "inboxId">,
  config: Pick<Config, "heartbeatTimeoutMs" | "chunkBytes">,
  which: Omit<ReplayInput, "settings">,
): Promise<ReplayResult> {
  const workflowId = operationWorkflowId("replay", inboxId, which.fileId);
  for (;;) {
    try {
      return await client.workflow.execute<typeof replayRejects>("replayRejects", {
        workflowId,
        taskQueue: taskQueue(inboxId),
        args: [{ ...which, settings: ingestSettings(config, false) }],
        workflowIdReusePolicy: "ALLOW_DUPLICATE",
        workflowIdConflictPolicy: "FAIL",
        staticSummary: `replay rejects of file ${which.fileId}`,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      // How it ends is told to whoever asked for it.
      await client.workflow.getHandle(workflowId).result().catch(() => {});
    }
  }
}
