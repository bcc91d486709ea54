import { Context } from "@temporalio/activity";

/**
 * Says that the activity is alive, and stops it if it was cancelled or the worker shuts down.
 *
 * @param progress What the heartbeat shows; never used to resume (the ledger is).
 */
export function heartbeatAndCheck(progress: Record<string, number>): void {
  const context = Context.current();
  // The server knows nothing of a local activity, and the SDK warns of each heartbeat.
  if (!context.info.isLocal) context.heartbeat(progress);
  context.cancellationSignal.throwIfAborted();
}

/** Says that the activity is alive, and nothing else. */
export function sayAlive(): void {
  Context.current().heartbeat();
}

/** Who runs this activity. */
export function workflowOfActivity(): { workflowId: string; runId: string } {
  const { workflowExecution } = Context.current().info;
  if (workflowExecution === undefined) {
    throw new Error("Cannot tell the workflow: the activity runs without one");
  }
  return workflowExecution;
}

/** Which attempt of the activity this is, from 1. */
export function activityAttempt(): number {
  return Context.current().info.attempt;
}
