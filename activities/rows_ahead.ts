import { Buffer } from "node:buffer";

/** What a socket writes, in the order of the bytes. */
export type Write = (bytes: Uint8Array) => void;

/** Kinds of messages: https://www.postgresql.org/docs/18/protocol-message-formats.html */
const QUERY = 0x51;
const COPY_DATA = 0x64;
const COPY_DONE = Uint8Array.of(0x63, 0, 0, 0, 4);
/** A byte for the kind of message, four for its length, which counts itself. */
const HEADER_BYTES = 5;

/**
 * Rows that wait for their statement to be written, by its mark. The statement holds them: one that the driver has never
 * written, nor told anything of, takes them along.
 */
const waiting = new Map<string, WeakRef<RowsAhead>>();
let announced = 0;

/**
 * Rows of a `COPY … FROM STDIN` that are sent right behind the statement. The driver waits for the server to ask for them,
 * and has nothing else sent meanwhile; the protocol does not: a server that has refused the statement passes over rows.
 *
 * The socket finds the statement by its mark, {@linkcode spliceRows}. Where it does not see what the driver writes, which
 * is so of TLS, the rows are not sent: {@linkcode wereSent}.
 */
export class RowsAhead {
  /** A comment, to stand at the end of the statement. */
  readonly mark = `/* ${++announced} */`;
  readonly #pieces: readonly Uint8Array[];
  #socket: RowsSocket | undefined;

  /** @param pieces The rows, cut anywhere; they must stay as they are until the statement has ended. */
  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces;
    waiting.set(this.mark, new WeakRef(this));
  }

  /** Whether they follow the statement, which the server has begun with. */
  get wereSent(): boolean {
    return this.#socket !== undefined;
  }

  /**
   * Has the driver end its part of the statement, of which nothing must be sent.
   *
   * @param end Ends it.
   */
  endSilently(end: () => void): void {
    this.#socket!.isSilent = true;
    try {
      end();
    } finally {
      this.#socket!.isSilent = false;
    }
  }

  /** To be called when the statement has ended. */
  forget(): void {
    waiting.delete(this.mark);
  }

  /** @internal */
  send(socket: RowsSocket, write: Write): void {
    this.forget();
    this.#socket = socket;
    for (const piece of this.#pieces) {
      const header = Buffer.alloc(HEADER_BYTES);
      header[0] = COPY_DATA;
      header.writeUInt32BE(HEADER_BYTES - 1 + piece.length, 1);
      write(header);
      write(piece);
    }
    write(COPY_DONE);
  }
}

/** A socket that the driver writes to in plain. */
export interface RowsSocket {
  /** Passes over what is written. */
  isSilent: boolean;
}

/**
 * Writes messages of the driver, with rows behind the statements that have some.
 *
 * @param socket The socket.
 * @param messages Whole ones, behind those that open a connection.
 * @param write Writes to it.
 * @returns Whether there were such rows: otherwise nothing was written.
 */
export function spliceRows(socket: RowsSocket, messages: Uint8Array, write: Write): boolean {
  if (waiting.size === 0) return false;
  const bytes = Buffer.from(messages.buffer, messages.byteOffset, messages.length);
  let written = 0;
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const end = at + 1 + bytes.readUInt32BE(at + 1);
    const rows = bytes[at] === QUERY
      ? waiting.get(markOf(bytes.toString("latin1", at + HEADER_BYTES, end - 1)))?.deref()
      : undefined;
    if (rows !== undefined) {
      write(bytes.subarray(written, end));
      rows.send(socket, write);
      written = end;
    }
    at = end;
  }
  if (written > 0 && written < bytes.length) write(bytes.subarray(written));
  return written > 0;
}

function markOf(statement: string): string {
  return /\/\* \d+ \*\/$/.exec(statement)?.[0] ?? "";
}
