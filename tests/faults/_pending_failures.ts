import type { Workflow } from "@temporalio/common";
import type { WorkflowHandle } from "@temporalio/client";

/** What the Web UI shows of the activities of a workflow that wait for their next attempt. */
export async function pendingFailures<T extends Workflow>(
  handle: WorkflowHandle<T>,
): Promise<string[]> {
  const { raw } = await handle.describe();
  return (raw.pendingActivities ?? []).flatMap(({ lastFailure }) =>
    lastFailure?.message ? [lastFailure.message] : []
  );
}
