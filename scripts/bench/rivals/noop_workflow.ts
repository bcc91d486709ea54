import { proxyActivities } from "@temporalio/workflow";

const { noop } = proxyActivities<{ noop(): Promise<void> }>({ startToCloseTimeout: "1 minute" });

/** The least that a workflow with an activity can do. */
export async function noopWorkflow(): Promise<void> {
  await noop();
}
