import { type ReplayInput, type ReplayResult, taskQueue } from "../../domain/ingest_api.ts";
import { operationWorkflowId } from "../../domain/workflow_ids.ts";
import type { replayRejects } from "../../workflows/replay_rejects.ts";
import type { Running } from "../cli/with_running.ts";
import type { Config } from "../config.ts";
import { ingestSettings } from "../services/pipeline_settings.ts";

/**
 * Replays rejects of one file by its workflow, and waits for the result. One that runs already is waited for as well.
 *
 * @param which Ids and codes only; the corrections stand in the quarantine.
 */
export async function replayFile(
  { client, inboxId }: Running,
  config: Config,
  which: Omit<ReplayInput, "settings">,
): Promise<ReplayResult> {
  const handle = await client.workflow.start<typeof replayRejects>("replayRejects", {
    workflowId: operationWorkflowId("replay", inboxId, which.fileId),
    taskQueue: taskQueue(inboxId),
    args: [{ ...which, settings: ingestSettings(config, false) }],
    workflowIdReusePolicy: "ALLOW_DUPLICATE",
    workflowIdConflictPolicy: "USE_EXISTING",
    staticSummary: `replay rejects of file ${which.fileId}`,
  });
  return await handle.result();
}
