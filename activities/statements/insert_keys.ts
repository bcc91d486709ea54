import type { PendingQuery, Row } from "postgres";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import type { Contract } from "../../domain/contract.ts";
import type { Transaction } from "../database.ts";
import { plainArray } from "./array_literal.ts";
import { inKeyOrder } from "./key_order.ts";
import { columnOf, valuesOf } from "./values_of.ts";

/** Positions in the batch's columns, by what the keys say of them; each in file order. */
export interface SortedByKeys {
  /** First sighting of the event anywhere: becomes a row. */
  fresh: number[];
  /** The event is there already, with equal content. */
  duplicates: number[];
  /** The event is there already, with other content. */
  conflicting: number[];
}

/** Rows a statement: larger ones gain nothing and hold more memory on both sides. */
export const ROWS_PER_STATEMENT = 20_000;

/**
 * Asks the one dedupe authority about every event of a transaction, and claims the new ones.
 *
 * Keys go in (event_id, line_number) order across the whole transaction: two loads with events in common then wait for
 * each other instead of deadlocking. Ids that were not new are looked up in a statement of their own, which sees a
 * winner that committed a moment ago; an id that is gone by then (its file was unloaded) is tried again.
 *
 * @param tx The chunk transaction.
 * @param chunk Which file, and its batch.
 * @param rows Positions of the records to insert.
 * @param sentAhead Lines whose key was new when {@linkcode keysToSendAhead} were inserted, which was the first try then.
 */
export async function insertKeys(
  tx: Transaction,
  { fileId, batch, contract }: { fileId: number; batch: ChunkBatch; contract: Contract },
  rows: number[],
  sentAhead?: ReadonlySet<number>,
): Promise<SortedByKeys> {
  const ids = valuesOf(contract, batch, "event_id");
  const { lines, contentHashes } = batch.accepted;
  const found: SortedByKeys = { fresh: [], duplicates: [], conflicting: [] };
  let open = [...inKeyOrder(columnOf(contract, batch, "event_id")!, rows)];
  let taken = sentAhead;
  while (open.length > 0) {
    taken ??= await insertNewKeys(tx, { fileId, batch, contract }, open);
    const old: number[] = [];
    for (const row of open) (taken.has(lines.at(row)) ? found.fresh : old).push(row);
    if (old.length === 0) break;
    const hashes = await lookUpKeys(tx, old.map((row) => ids[row] as string));
    [open, taken] = [[], undefined];
    for (const row of old) {
      const hash = hashes.get(ids[row] as string);
      if (hash === undefined) open.push(row);
      else (hash === contentHashes.at(row) ? found.duplicates : found.conflicting).push(row);
    }
  }
  for (const positions of Object.values(found) as number[][]) positions.sort((a, b) => a - b);
  return found;
}

/**
 * Keys of all events of a small file, for the statement that finds out which of them lie before the horizon, and leaves
 * them out.
 *
 * @returns A relation `k` of (event_id, event_time, content_hash, line_number), in no order.
 */
export function keysToSendAhead(
  tx: Transaction,
  chunk: { batch: ChunkBatch; contract: Contract },
): PendingQuery<Row[]> {
  return keyRelation(tx, chunk, [...chunk.batch.accepted.lines.items().keys()]);
}

/** Lines whose key was new. By line, not by id: an id twice in one chunk must come back once. */
async function insertNewKeys(
  tx: Transaction,
  chunk: { fileId: number; batch: ChunkBatch; contract: Contract },
  sorted: number[],
): Promise<Set<number>> {
  const taken = new Set<number>();
  for (let start = 0; start < sorted.length; start += ROWS_PER_STATEMENT) {
    const some = sorted.slice(start, start + ROWS_PER_STATEMENT);
    const inserted = await insertKeyRows(tx, chunk, some);
    for (const { line_number } of inserted) taken.add(line_number);
  }
  return taken;
}

function insertKeyRows(
  tx: Transaction,
  { fileId, ...chunk }: { fileId: number; batch: ChunkBatch; contract: Contract },
  rows: readonly number[],
) {
  return tx<{ line_number: number }[]>`
    insert into ingest.event_keys (event_id, event_time, file_id, content_hash, line_number)
    select k.event_id, k.event_time, ${fileId}::bigint, k.content_hash, k.line_number
    from ${keyRelation(tx, chunk, rows)}
    order by k.event_id, k.line_number
    on conflict do nothing
    returning line_number`;
}

/** The keys of some rows, as `k`. */
function keyRelation(
  tx: Transaction,
  { batch, contract }: { batch: ChunkBatch; contract: Contract },
  rows: readonly number[],
): PendingQuery<Row[]> {
  const ids = valuesOf(contract, batch, "event_id");
  const times = valuesOf(contract, batch, "event_time");
  const { contentHashes, lines } = batch.accepted;
  return tx`
    unnest(${plainArray(rows.map((row) => ids[row] as string))}::uuid[],
           ${plainArray(rows.map((row) => times[row] as string))}::timestamptz[],
           ${plainArray(rows.map((row) => contentHashes.at(row)))}::bigint[],
           ${plainArray(rows.map((row) => lines.at(row)))}::integer[])
      as k (event_id, event_time, content_hash, line_number)`;
}

/** Content hash by id of the keys that are there, locked against an unload until this transaction ends. */
async function lookUpKeys(tx: Transaction, ids: string[]): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (let start = 0; start < ids.length; start += ROWS_PER_STATEMENT) {
    const some = plainArray(ids.slice(start, start + ROWS_PER_STATEMENT));
    const rows = await tx<{ event_id: string; content_hash: string }[]>`
      select k.event_id, k.content_hash::text as content_hash
      from ingest.event_keys k
      where k.event_id = any(${some}::uuid[])
      order by k.event_id
      for key share`;
    for (const { event_id, content_hash } of rows) hashes.set(event_id, content_hash);
  }
  return hashes;
}
