import { type Abandoned, abandonFile } from "../../activities/statements/finish_file.ts";
import { discoveredInput } from "../../domain/discovery.ts";
import { operationWorkflowId } from "../../domain/workflow_ids.ts";
import type { Running } from "../cli/with_running.ts";
import type { Config } from "../config.ts";
import { ingestSettings } from "../services/pipeline_settings.ts";
import { startIngestion } from "../services/start_ingestion.ts";
import type { FoundFile } from "../statements/find_file.ts";

/**
 * Begins to unload a file, or joins in where another command or the watcher has begun. From the first statement on the
 * ledger knows of it, so that the watcher brings it to its end without us.
 *
 * @param replacedBy The version that it makes room for.
 */
export async function takeOut(
  { client, sql, inboxId }: Running,
  { fileId, feed, identity }: FoundFile,
  config: Config,
  replacedBy?: number,
): Promise<Abandoned> {
  const workflowId = operationWorkflowId("unload", inboxId, fileId);
  const abandoned = await abandonFile(sql, { fileId, unloadTo: "unloaded" }, {
    workflowId,
    ...(replacedBy !== undefined && { replacedBy }),
  });
  if (abandoned.next === "refused") return abandoned;
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
  return abandoned;
}
