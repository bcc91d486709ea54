import { ActivityFailure, ApplicationFailure } from "@temporalio/workflow";
import { TERMINAL_FAILURES } from "../domain/ingest_api.ts";

/** Type of the failure that an activity ended with; undefined for timeouts and cancellations. */
export function causeType(failure: unknown): string | undefined {
  const cause = failure instanceof ActivityFailure ? failure.cause : failure;
  return cause instanceof ApplicationFailure ? cause.type ?? undefined : undefined;
}

/** Whether a further attempt cannot mend it. */
export function isTerminal(failure: unknown): boolean {
  return (TERMINAL_FAILURES as readonly (string | undefined)[]).includes(causeType(failure));
}
