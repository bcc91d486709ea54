import { Socket } from "node:net";

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
  if (target.path) return socket.connect(target.path);
  const host = target.host[0] ?? "127.0.0.1";
  // Over TLS the driver reads the server's name from here.
  return Object.assign(socket.connect(target.port[0] ?? 5432, host), { host });
}

/**
 * The driver forgets its socket at `close`, but a transaction that this interrupts still writes `rollback`: in
 * `postgres` 3.4.9 that ends the process, or leaves bytes behind that keep the connection from ever opening again. So
 * what was under way is told by `error` first, and `close` follows when the driver has written what it wants to.
 */
class DatabaseSocket extends Socket {
  #failed = false;
  #closing = false;

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    // The driver has given up all that was under way: a late answer would be taken for that of a later question.
    if (event === "data" && this.#failed) return true;
    if (event === "error") this.#failed = true;
    if (event === "timeout") {
      this.destroy(connectionError("ETIMEDOUT", "no answer in time"));
      return true;
    }
    if (event !== "close" || this.#closing) return super.emit(event, ...values);
    this.#closing = true;
    // TLS listens by itself, and the driver to it.
    if (this.listenerCount("error") === 0) return super.emit("close", ...values);
    this.emit("error", connectionError("ECONNRESET", "the connection was closed"));
    setImmediate(() => setImmediate(() => super.emit("close", false)));
    return true;
  }
}

function connectionError(code: string, state: string): Error {
  return Object.assign(new Error(`Cannot use the connection to PostgreSQL: ${state}`), { code });
}
