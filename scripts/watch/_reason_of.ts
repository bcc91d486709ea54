import { toSafeFailure } from "../../activities/database.ts";

/** Why something failed, for a line of the log; without a value in it: messages of PostgreSQL carry some. */
export function reasonOf(error: unknown): string {
  const failure = toSafeFailure(error);
  if (!(failure instanceof Error)) return "unknown error";
  const { cause } = failure;
  const text = cause instanceof Error ? `${failure.message}: ${cause.message}` : failure.message;
  return text.replaceAll(/\s+/g, " ").replace(/ It is tried again\.$/, "").replace(/\.$/, "");
}
