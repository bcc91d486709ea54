import { ApplicationFailure } from "@temporalio/common";
import postgres from "postgres";
import { openDatabaseSocket, type SocketTarget } from "./database_socket.ts";

/** A pool of connections; integers of 8 bytes arrive as numbers (ids and offsets stay far below 2^53). */
export type Sql = postgres.Sql<{ int8: number }>;

/** The same inside a transaction. */
export type Transaction = postgres.TransactionSql<{ int8: number }>;

/** Who a connection is on the server. */
export type Role = "owner" | "ingest" | "reader" | "operator";

/** Bounds on what a connection may do, milliseconds. */
export interface DatabaseLimits {
  /** A server that takes a connection and then says nothing is given up after so long: its worker can be stopped then. */
  connectDeadlineMs: number;
  /** A stopped worker's open transaction blocks others only this long; below the heartbeat timeout. */
  idleInTransactionTimeoutMs: number;
  transactionTimeoutMs: number;
  lockTimeoutMs: number;
  /** Without a byte on the socket for this long, the client destroys it: a black-holed query never hangs. */
  statementDeadlineMs: number;
}

/** The limits of design, for loading. */
export const DEFAULT_LIMITS: DatabaseLimits = {
  connectDeadlineMs: 10_000,
  idleInTransactionTimeoutMs: 5_000,
  transactionTimeoutMs: 60_000,
  lockTimeoutMs: 10_000,
  statementDeadlineMs: 65_000,
};

/**
 * Opens a pool as one of the product's roles, with the limits as startup parameters, so that they hold from the first
 * statement and for every login.
 *
 * @param url Connection string of any login that may `set role`.
 * @param role The group role to become.
 * @param options Number of connections and limits.
 */
export function openDatabase(
  url: string,
  role: Role,
  { max = 4, limits = DEFAULT_LIMITS, applicationName = `clickledger ${role}` }: {
    max?: number;
    limits?: DatabaseLimits;
    applicationName?: string;
  } = {},
): Sql {
  const sql = postgres(url, {
    max,
    fetch_types: false,
    idle_timeout: 20,
    connect_timeout: limits.connectDeadlineMs / 1000,
    // Whoever asks backs off by itself; a pool that waited longer and longer would be late when the server is back.
    backoff: () => 0.2,
    onnotice: () => {},
    types: { int8: INT8_AS_NUMBER },
    // Not in the library's types: a socket of our own.
    ...{ socket: (target: SocketTarget) => openDatabaseSocket(target, limits.statementDeadlineMs) },
    connection: {
      application_name: applicationName,
      role: `clickledger_${role}`,
      timezone: "UTC",
      idle_in_transaction_session_timeout: limits.idleInTransactionTimeoutMs,
      transaction_timeout: limits.transactionTimeoutMs,
      lock_timeout: limits.lockTimeoutMs,
      tcp_keepalives_idle: 5,
      tcp_keepalives_interval: 5,
      tcp_keepalives_count: 3,
    } as postgres.Options<Record<string, never>>["connection"] & object,
  });
  if (!sql.options.ssl) plainPools.add(sql);
  return sql;
}

const plainPools = new WeakSet<Sql>();

/** Whether the sockets of a pool see what the driver says, so that rows are sent right behind their COPY. */
export function sendsRowsAhead(sql: Sql): boolean {
  return plainPools.has(sql);
}

/**
 * Runs database work and turns what PostgreSQL or the network throw into failures that may stand in a history: server
 * messages carry cell values, so only the SQLSTATE and the names of constraint, table and column are kept (I6).
 *
 * @param work The statements.
 */
export async function withSafeErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toSafeFailure(error);
  }
}

/** SQLSTATE of an error that PostgreSQL or the driver raised; undefined for others. */
export function sqlstateOf(error: unknown): string | undefined {
  return error instanceof postgres.PostgresError ? error.code : undefined;
}

/** What statements are told behind one that failed. */
export const IN_FAILED_TRANSACTION = "25P02";

/** Maps any error of the driver to a failure without values; failures and other errors pass. */
export function toSafeFailure(error: unknown): unknown {
  if (error instanceof postgres.PostgresError) {
    const { code, constraint_name, table_name, column_name } = error;
    const names = [
      constraint_name && `constraint ${constraint_name}`,
      table_name && `table ${table_name}`,
      column_name && `column ${column_name}`,
    ].filter(Boolean).join(", ");
    return ApplicationFailure.create({
      type: "DatabaseError",
      message: `Cannot write to PostgreSQL: SQLSTATE ${code}${names ? ` (${names})` : ""}. ` +
        explainSqlstate(code),
      details: [{ sqlstate: code, constraint_name, table_name, column_name }],
    });
  }
  if (!isSystemError(error)) return error;
  const { code } = error;
  if (isConnectionError(error)) {
    return ApplicationFailure.create({
      type: "DatabaseUnavailable",
      message: `Cannot reach PostgreSQL: ${code}. Is it running? It is tried again.`,
      details: [{ code }],
    });
  }
  const state = DISK_ERRORS[code];
  // One that names its path says more than we could.
  if (state === undefined || "path" in error) return error;
  return ApplicationFailure.create({
    type: "DiskError",
    message: `${state[0]}: ${code}. ${state[1]} It is tried again.`,
    details: [{ code }],
  });
}

const INT8_AS_NUMBER = {
  to: 20,
  from: [20],
  serialize: (value: number) => String(value),
  parse: (text: string) => Number(text),
};

/** Errors of files that are open already; they come without a path. */
const DISK_ERRORS: Record<string, readonly [state: string, help: string]> = {
  ENOSPC: ["Cannot write to the disk", "No space is left on it: make room."],
  EDQUOT: ["Cannot write to the disk", "The quota is used up: make room."],
  EROFS: ["Cannot write to the disk", "It is mounted read-only."],
  EFBIG: ["Cannot write to the disk", "The file is larger than the file system takes."],
  EIO: [
    "Cannot read from or write to the disk",
    "Look at the system's log: the disk may be failing.",
  ],
  ESTALE: ["Cannot read from or write to the disk", "The share was mounted anew by its server."],
};

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

/** What the system or the driver throws; its code is in capitals. */
type SystemError = Error & { code: string; syscall?: unknown };

/**
 * Connection errors of the system (ECONNREFUSED), of looking up a name (EAI_AGAIN), and of the driver
 * (CONNECTION_CLOSED); whatever else happens to `connect`, as on the way to a Unix socket, is one as well.
 */
function isConnectionError({ code, syscall }: SystemError): boolean {
  return NETWORK_CODE.test(code) || syscall === "connect";
}

const NETWORK_CODE =
  /^(ECONN[A-Z]+|EPIPE|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_[A-Z]+|CONN\w+)$/;

/** What it means, what to do, and whether to wait. */
function explainSqlstate(code: string): string {
  return mendsItself(code) ? `${explainPassing(code)} It is tried again.` : LASTING;
}

/** Classes 22 (a value does not fit) and 23 (a constraint), but for keys and months that somebody may be about to free. */
function mendsItself(code: string): boolean {
  return !/^2[23]/.test(code) || code === "23505" || code === "23514";
}

const LASTING =
  "This does not mend itself: a value does not fit the schema. Run `deno task migrate`; if it stays, " +
  "look at the server's log, and give the file up with `deno task files cancel`.";

function explainPassing(code: string): string {
  if (code === "57P03") return "The server is starting up.";
  if (code === "25006") return "The database is read-only.";
  if (code.startsWith("57P")) return "The server ended the connection.";
  if (code === "53300") return "The server has no free connection.";
  if (code === "53100") return "The server's disk is full.";
  if (code.startsWith("53")) return "The server is short of resources.";
  if (code === "40P01") return "Two transactions waited for each other.";
  if (code === "55P03") return "A lock was not free in time.";
  if (code === "42501") return "The role lacks a right: run `deno task migrate`.";
  if (code.startsWith("42")) return "The schema differs from the program: run `deno task migrate`.";
  return "The server's log says more.";
}
