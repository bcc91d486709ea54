import { isGrpcServiceError, ServiceError } from "@temporalio/client";

/** Status codes of gRPC after which the next request would fare no better. */
const AWAY = new Set([
  1, // CANCELLED
  4, // DEADLINE_EXCEEDED
  8, // RESOURCE_EXHAUSTED
  14, // UNAVAILABLE
]);

/** Whether an error says that the server is away or overloaded, and not that it refuses this one request. */
export function isTemporalAway(error: unknown): boolean {
  const reason = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(reason) && AWAY.has(reason.code);
}
