import type { IngestHandle } from "./_fault_pipeline.ts";

/** What the Web UI shows of the activities of a workflow that wait for their next attempt. */
export async function pendingFailures(handle: IngestHandle): Promise<string[]> {
  const { raw } = await handle.describe();
  return (raw.pendingActivities ?? []).flatMap(({ lastFailure }) =>
    lastFailure?.message ? [lastFailure.message] : []
  );
}
