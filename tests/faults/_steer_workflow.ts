import { defaultPayloadConverter, WorkflowIdReusePolicy } from "@temporalio/common";
import type { IngestFileInput } from "../../domain/ingest_api.ts";
import { taskQueue } from "../../domain/ingest_api.ts";
import type { ingestFile } from "../../workflows/ingest_file.ts";
import type { FaultPipeline, IngestHandle } from "./_fault_pipeline.ts";

/** Terminates a workflow, as a person may in the Web UI, and starts it anew as the watcher would: with the same input. */
export async function restartTerminated(
  { client, inboxId }: FaultPipeline,
  { workflowId }: IngestHandle,
): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  const { events } = await handle.fetchHistory();
  const payload = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  if (!payload) throw new Error(`Cannot start ${workflowId} anew: its history has no input`);
  // It may have ended meanwhile.
  await handle.terminate("by a test").catch(() => {});
  await client.workflow.start<typeof ingestFile>("ingestFile", {
    workflowId,
    taskQueue: taskQueue(inboxId),
    workflowTaskTimeout: 2_000,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    args: [defaultPayloadConverter.fromPayload<IngestFileInput>(payload)],
  });
}

/**
 * Resets a workflow to its first task, as a person may in the Web UI, whether it runs or has ended; nothing to do where
 * it has not been started, or no worker has taken it up yet.
 */
export async function resetToStart(
  { client }: FaultPipeline,
  { workflowId }: { workflowId: string },
): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  const { events } = await handle.fetchHistory().catch(() => ({ events: [] }));
  const first = events?.find(({ workflowTaskCompletedEventAttributes: task }) => task);
  if (!first?.eventId) return;
  await client.workflowService.resetWorkflowExecution({
    namespace: "default",
    workflowExecution: { workflowId },
    reason: "by a test",
    requestId: crypto.randomUUID(),
    workflowTaskFinishEventId: first.eventId,
  });
}
