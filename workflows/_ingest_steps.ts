import {
  ActivityCancellationType,
  proxyActivities,
  proxyLocalActivities,
} from "@temporalio/workflow";
import type { Activities } from "../activities/create_activities.ts";
import { type IngestSettings, type Span, TERMINAL_FAILURES } from "../domain/ingest_api.ts";

/** The activities of an ingestion, each with the policy that it needs. */
export type IngestSteps = ReturnType<typeof proxyIngestSteps>;

/**
 * Binds the activities to their timeouts and retry policies. An outage of PostgreSQL or the disk is waited out for as
 * long as it takes; only {@linkcode TERMINAL_FAILURES} end a step.
 *
 * @param settings Timeouts of this deployment.
 */
export function proxyIngestSteps({ heartbeatTimeoutMs, maxRetryIntervalMs }: IngestSettings) {
  const retry = {
    initialInterval: 250,
    backoffCoefficient: 2,
    maximumInterval: maxRetryIntervalMs,
    nonRetryableErrorTypes: [...TERMINAL_FAILURES],
  };
  const common = {
    heartbeatTimeout: heartbeatTimeoutMs,
    startToCloseTimeout: "1 hour",
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry,
  } as const;
  const { inspectFile } = proxyActivities<Activities>({ ...common, summary: "hash and plan" });
  const { settleFile } = proxyActivities<Activities>({ ...common, summary: "prove and move" });
  const { unloadFile } = proxyActivities<Activities>({ ...common, summary: "take out again" });
  const { readResult } = proxyActivities<Activities>({ ...common, summary: "read result" });
  const { markPaused } = proxyActivities<Activities>({ ...common, summary: "note the pause" });
  const { replayRejects } = proxyActivities<Activities>({ ...common, summary: "validate again" });
  const { abandonFile } = proxyActivities<Activities>({ ...common, summary: "give up" });
  const { ingestSmallFile } = proxyActivities<Activities>({
    ...common,
    summary: "inspect, load, settle",
  });
  const { loadSpan } = proxyActivities<Activities>(common);
  const { ingestSmallFile: ingestSmallFileAtOnce } = proxyLocalActivities<Activities>({
    startToCloseTimeout: "5 seconds",
    retry: { maximumAttempts: 1 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    summary: "inspect, load, settle",
  });
  return {
    inspectFile,
    settleFile,
    unloadFile,
    abandonFile,
    replayRejects,
    markPaused,
    readResult,
    ingestSmallFile,
    ingestSmallFileAtOnce,
    loadSpan: (span: Span) =>
      loadSpan.executeWithOptions({
        ...common,
        summary: `chunks ${span.firstChunk + 1} to ${span.endChunk} of ${span.claim.chunks}`,
      }, [span]),
  };
}
