import type { Contract } from "../../domain/contract.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import type { Transaction } from "../database.ts";
import { valuePutter } from "./binary_columns.ts";
import { BinaryRows } from "./binary_rows.ts";
import { copyRows } from "./copy_rows.ts";
import { columnOf } from "./values_of.ts";

/**
 * Sees to it that the session has an empty table for {@linkcode copyKeys}.
 *
 * @param tx The chunk transaction, at the end of which the table is empty again.
 */
export async function emptyCopiedKeys(tx: Transaction): Promise<void> {
  const [table] = await tx<{ bytes: number | null }[]>`
    select pg_relation_size(to_regclass('pg_temp.copied_keys')) as bytes`;
  const { bytes } = table!;
  // Only a commit empties it: what a transaction that was taken back has written still takes its room.
  if (bytes !== null && bytes > 0) await tx`truncate pg_temp.copied_keys`;
  if (bytes === null) {
    await tx`
      create temporary table copied_keys on commit delete rows as
      select k.event_id, k.event_time, k.content_hash, k.line_number from ingest.event_keys k
      with no data`;
  }
}

/**
 * Copies the keys of a batch to the table of {@linkcode emptyCopiedKeys}, where they wait for {@linkcode insertCopiedKeys}:
 * nobody else sees them there, and it takes a third of the time of arrays as text.
 *
 * @param tx The chunk transaction.
 * @param rows From {@linkcode keyRows}.
 */
export function copyKeys(tx: Transaction, rows: readonly Uint8Array[]): Promise<void> {
  return copyRows(tx, COPY_KEYS, rows);
}

const COPY_KEYS = `copy pg_temp.copied_keys (event_id, event_time, content_hash, line_number)
  from stdin (format binary)`;

/**
 * Claims the keys of a batch in which every event is new: half the cost of watching for conflicts. If one is not, this
 * fails as `unique_violation`, and all that the transaction did with it. Keys go in (event_id, line_number) order, as in
 * `insertKeys`.
 *
 * @param tx The chunk transaction, after {@linkcode copyKeys}.
 * @param fileId The file that they are of.
 */
export async function insertCopiedKeys(tx: Transaction, fileId: number): Promise<void> {
  await tx`
    insert into ingest.event_keys (event_id, event_time, file_id, content_hash, line_number)
    select k.event_id, k.event_time, ${fileId}::bigint, k.content_hash, k.line_number
    from pg_temp.copied_keys k
    order by k.event_id, k.line_number`;
}

/** The keys of a batch, as {@linkcode copyKeys} takes them. */
export function keyRows(
  { contract, batch }: { contract: Contract; batch: Pick<ChunkBatch, "accepted"> },
): Uint8Array[] {
  const { lines, eventMicros, contentHashes } = batch.accepted;
  const rows = new BinaryRows(4);
  const putId = valuePutter(rows, "uuid", columnOf(contract, batch, "event_id")!);
  for (let row = 0; row < lines.length; row++) {
    rows.beginRow();
    putId(row);
    rows.putTimestamp(eventMicros[row]!);
    rows.putHalves(contentHashes.high(row), contentHashes.low(row));
    rows.putInteger(lines[row]!);
  }
  return rows.end();
}
