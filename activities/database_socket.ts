import { Socket } from "node:net";
import postgres from "postgres";
import { type RowsSocket, spliceRows } from "./rows_ahead.ts";

/** Where the driver wants to connect to: the first of its hosts. */
export interface SocketTarget {
  host: string[];
  port: number[];
  /** Of a Unix socket. */
  path?: string | false;
}

/**
 * Opens the socket of one connection to PostgreSQL, for the `socket` option of `postgres`. It is returned before it is
 * connected: what the driver writes waits in it, and a refused connection is an `error` and a `close` as of any other
 * socket. (A promise that rejects takes the connection out of the pool for ever.)
 *
 * @param target Where to connect.
 * @param deadlineMs Without a byte for this long, in either direction, the socket is destroyed.
 */
export function openDatabaseSocket(target: SocketTarget, deadlineMs: number): Socket {
  const socket = new DatabaseSocket();
  socket.setTimeout(deadlineMs);
  // What ends a COPY comes behind its rows in a write of its own: it must not wait until these are acknowledged.
  socket.setNoDelay(true);
  if (target.path) return socket.connect(target.path);
  const host = target.host[0] ?? "127.0.0.1";
  // Over TLS the driver reads the server's name from here.
  return Object.assign(socket.connect(target.port[0] ?? 5432, host), { host });
}

/**
 * The driver forgets its socket at `close`, but a transaction that this interrupts still writes `rollback`: in
 * `postgres` 3.4.9 that ends the process, or leaves bytes behind that keep the connection from ever opening again. So
 * what was under way is told by `error` first, and `close` follows when the driver has written what it wants to.
 *
 * Nor does it forget a question that an earlier socket took with it, and waits with what a server that is starting up, or
 * is full, says instead of a greeting for the end of that answer: so that is told here.
 */
class DatabaseSocket extends Socket implements RowsSocket {
  isSilent = false;
  #hasSpliced = false;
  #failed = false;
  #closing = false;
  #greeted = false;
  #refusal: Error | undefined;

  /** Connects, and sends rows behind their statements from then on. */
  override connect(...target: unknown[]): this {
    super.connect(...target as [string]);
    const write = this.write.bind(this) as (...values: unknown[]) => boolean;
    // Connecting gives a socket a function of its own: no method could stand for it.
    this.write = (bytes: Uint8Array, ...rest: unknown[]) => {
      if (this.isSilent) return true;
      if (this.#greeted && spliceRows(this, bytes, write)) this.#hasSpliced = true;
      else if (!write(bytes, ...rest) && !this.#hasSpliced) return false;
      // That there are many rows to send is no reason to hold back what comes next.
      return true;
    };
    return this;
  }

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    // The driver would take a connection within a transaction for one that is free.
    if (event === "drain" && this.#hasSpliced) return true;
    // The driver has given up all that was under way: a late answer would be taken for that of a later question.
    if (event === "data" && this.#failed) return true;
    if (event === "data" && !this.#greeted) {
      this.#greeted = true;
      this.#refusal = readRefusal(values[0] as Uint8Array);
    }
    if (event === "error") this.#failed = true;
    if (event === "timeout") {
      this.destroy(connectionError("ETIMEDOUT", "no answer in time"));
      return true;
    }
    if (event !== "close" || this.#closing) return super.emit(event, ...values);
    this.#closing = true;
    // TLS listens by itself, and the driver to it.
    if (this.listenerCount("error") === 0) return super.emit("close", ...values);
    const closed = connectionError("ECONNRESET", "the connection was closed");
    this.emit("error", this.#refusal ?? closed);
    setImmediate(() => setImmediate(() => super.emit("close", false)));
    return true;
  }
}

function connectionError(code: string, state: string): Error {
  return Object.assign(new Error(`Cannot use the connection to PostgreSQL: ${state}`), { code });
}

const ERROR_RESPONSE = "E";
const SQLSTATE_FIELD = "C";
/** A byte for the kind of message, four for its length. */
const MESSAGE_HEADER_BYTES = 5;

/**
 * The error that a server's first bytes are, if they are one.
 *
 * @see https://www.postgresql.org/docs/18/protocol-error-fields.html
 */
function readRefusal(bytes: Uint8Array): Error | undefined {
  const text = new TextDecoder("latin1").decode(bytes);
  if (!text.startsWith(ERROR_RESPONSE)) return undefined;
  const fields = text.slice(MESSAGE_HEADER_BYTES).split("\0");
  const code = fields.find((field) => field.startsWith(SQLSTATE_FIELD))?.slice(1);
  if (code === undefined) return undefined;
  const message = "Cannot use the connection to PostgreSQL: the server refused it";
  // Its constructor is not in the library's types.
  const { PostgresError } = postgres as unknown as { PostgresError: new (fields: object) => Error };
  return new PostgresError({ code, message });
}
