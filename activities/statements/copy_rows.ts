import { Writable } from "node:stream";
import type { Transaction } from "../database.ts";
import { RowsAhead } from "../rows_ahead.ts";
import { releaseRows } from "./binary_rows.ts";

/** The driver's query, as far as its types do not tell: whatever becomes of it is told here. */
interface Settling {
  /** First with the stream that takes rows, when the server asks for them; then with the result. */
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/**
 * Sends rows by `COPY … FROM STDIN`: no parameters to parse, and whole pages written at once. They go right behind the
 * statement, {@linkcode RowsAhead}, so that several of a transaction wait for nothing in between.
 *
 * While the rows are on their way, none of the server's timeouts runs (PostgreSQL 18), which is what `endStalledCopies` is
 * for. So that it is rarely needed, a transaction copies before it locks what others wait for, and keys last.
 *
 * In `postgres` 3.4.9 the stream of a COPY that is refused after its last row never settles. The query behind it is
 * told of every error, so that is where to listen. Nor does it take the next statement while a stream is open: it is ended
 * as soon as it is there.
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
  const ahead = new RowsAhead(pieces);
  const query = tx.unsafe(`${statement} ${ahead.mark}`);
  const settling = query as unknown as Settling;
  const { resolve: resolveQuery, reject: rejectQuery } = settling;
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  let stream: Writable | undefined;
  settling.reject = (error) => {
    rejectQuery(error);
    reject(error);
  };
  settling.resolve = (value) => {
    resolveQuery(value);
    if (!(value instanceof Writable)) return;
    stream = value;
    value.on("error", reject);
    value.on("finish", resolve);
    if (ahead.wereSent) return ahead.endSilently(() => value.end());
    for (const piece of pieces) value.write(piece);
    value.end();
  };
  // What becomes of it is told above.
  query.writable().then(() => {}, () => {});
  try {
    await done;
  } catch (error) {
    // What it still holds would be taken for rows of the next COPY of this connection.
    if (!ahead.wereSent) stream?.destroy();
    throw error;
  } finally {
    ahead.forget();
  }
  // The server has them. Of a copy that failed, the socket may still hold some.
  releaseRows(pieces);
}
