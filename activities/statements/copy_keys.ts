import type { Contract } from "../../domain/contract.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import type { Transaction } from "../database.ts";
import { valuePutter } from "./binary_columns.ts";
import { BinaryRows } from "./binary_rows.ts";
import { copyRows } from "./copy_rows.ts";
import { inKeyOrder } from "./key_order.ts";
import { columnOf } from "./values_of.ts";

/**
 * Claims the keys of a batch in which every event is new: a third of the cost of watching for conflicts. If one is not,
 * this fails as `unique_violation`, and all that the transaction did with it.
 *
 * Others with events in common wait for the end of this transaction, and no timeout of the server runs while the rows are
 * on their way: `endStalledCopies` is what ends it when its client stands still.
 *
 * @param tx The chunk transaction, which has nothing left to copy.
 * @param rows From {@linkcode keyRows}.
 */
export function copyKeys(tx: Transaction, rows: readonly Uint8Array[]): Promise<void> {
  return copyRows(tx, COPY_KEYS, rows);
}

const COPY_KEYS = `copy ingest.event_keys (event_id, event_time, file_id, content_hash, line_number)
  from stdin (format binary)`;

/** The keys of a batch, as {@linkcode copyKeys} takes them: in (event_id, line_number) order, as in `insertKeys`. */
export function keyRows(
  { fileId, contract, batch }: {
    fileId: number;
    contract: Contract;
    batch: Pick<ChunkBatch, "accepted">;
  },
): Uint8Array[] {
  const { lines, eventMicros, contentHashes } = batch.accepted;
  const ids = columnOf(contract, batch, "event_id")!;
  const rows = new BinaryRows(5);
  const putId = valuePutter(rows, "uuid", ids);
  const order = inKeyOrder(ids, new Int32Array(lines.length).map((_, row) => row));
  for (let index = 0; index < order.length; index++) {
    const row = order[index]!;
    rows.beginRow();
    putId(row);
    rows.putTimestamp(eventMicros.at(row));
    rows.putBigint(fileId);
    rows.putHalves(contentHashes.high(row), contentHashes.low(row));
    rows.putInteger(lines.at(row));
  }
  return rows.end();
}
