import type { Writable } from "node:stream";
import type { Transaction } from "../database.ts";
import { releaseRows } from "./binary_rows.ts";

/** The driver's query, as far as its types do not tell: whatever ends it is told here. */
interface Settling {
  reject: (error: unknown) => void;
}

/**
 * Sends rows by `COPY … FROM STDIN`: no parameters to parse, and whole pages written at once.
 *
 * While the rows are on their way, none of the server's timeouts runs (PostgreSQL 18), which is what `endStalledCopies` is
 * for. So that it is rarely needed, a transaction copies before it locks what others wait for, and keys last.
 *
 * In `postgres` 3.4.9 the stream of a COPY that is refused after its last row never settles. The query behind it is
 * told of every error, so that is where to listen.
 *
 * @param tx Transaction that the rows go in.
 * @param statement The `copy … from stdin`.
 * @param pieces From `BinaryRows`, which gets their memory back; not to be used again.
 */
export async function copyRows(
  tx: Transaction,
  statement: string,
  pieces: readonly Uint8Array[],
): Promise<void> {
  if (pieces.length === 0) return;
  const query = tx.unsafe(statement);
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  const settling = query as unknown as Settling;
  const rejectQuery = settling.reject;
  settling.reject = (error) => {
    rejectQuery(error);
    reject(error);
  };
  // Before the stream is there, the query's own rejection is the one that counts.
  done.catch(() => {});
  const stream: Writable = await query.writable();
  stream.on("error", reject);
  stream.on("finish", resolve);
  for (const piece of pieces) stream.write(piece);
  stream.end();
  try {
    await done;
  } catch (error) {
    // What it still holds would be taken for rows of the next COPY of this connection.
    stream.destroy();
    throw error;
  }
  // The server has them. Of a copy that failed, the driver may still hold some.
  releaseRows(pieces);
}
