import { ServiceError } from "@temporalio/client";
import postgres from "postgres";
import { toSafeFailure } from "../../activities/database.ts";

/** Classes of SQLSTATE whose messages speak of names and rights, never of values. */
const NAME_CLASSES: ReadonlySet<string> = new Set(["08", "28", "3D", "3F", "42", "53", "57"]);

/**
 * An error as a sentence for people. Those of this project are sentences already; what the drivers of
 * PostgreSQL and Temporal throw says neither what was tried nor what to do.
 */
export function explainError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof postgres.PostgresError) return explainPostgres(error);
  if (isConnectionError(error)) {
    const { address, port, code } = error;
    const where = address === undefined ? "" : ` at ${address}:${port}`;
    return `Cannot reach PostgreSQL${where}: ${code}; start it, or check DATABASE_URL`;
  }
  const reason = temporalReason(error);
  if (reason === undefined) return error.message;
  return `Cannot reach Temporal: ${reason}; start it, or check TEMPORAL_ADDRESS`;
}

function explainPostgres(error: postgres.PostgresError): string {
  const { code, message } = error;
  // A server without the product's roles refuses the connection with the value of this parameter.
  if (code === "22023" || code === "3F000" || code === "42P01" || code === "42883") {
    return `Cannot use the database: ${message}; run \`deno task migrate\``;
  }
  if (NAME_CLASSES.has(code.slice(0, 2))) return `Cannot use the database: ${message}`;
  const safe = toSafeFailure(error);
  return safe instanceof Error ? safe.message : `Cannot use the database: SQLSTATE ${code}`;
}

interface ConnectionError extends Error {
  code: string;
  address?: string;
  port?: number;
}

function isConnectionError(error: Error): error is ConnectionError {
  return "code" in error && typeof error.code === "string" &&
    /^(ECONN\w+|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|CONNECT\w+|CONNECTION_\w+)$/
      .test(error.code);
}

function temporalReason(error: Error): string | undefined {
  if (error.message.includes("ConnectError")) {
    const cause = /([\d.:a-f[\]]+:\d+).*message: "([^"]+)"/.exec(error.message);
    return cause === null ? "no connection" : `${cause[1]}: ${cause[2]}`;
  }
  if (!(error instanceof ServiceError) && error.name !== "TransportError") return undefined;
  const { cause } = error;
  return cause instanceof Error ? cause.message : error.message;
}
