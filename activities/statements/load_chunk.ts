import type { Contract } from "../../domain/contract.ts";
import type { Fault } from "../../domain/faults.ts";
import type { Counts } from "../../domain/ledger.ts";
import type { ChunkBatch, RejectedRecord } from "../../domain/read_chunk.ts";
import type { Sql, Transaction } from "../database.ts";
import { inTurn } from "../in_turn.ts";
import { type Commit, transact } from "../transact.ts";
import { plainArray, textArray } from "./array_literal.ts";
import { copyKeys, keyRows } from "./copy_keys.ts";
import { copyRows } from "./copy_rows.ts";
import { copyRollups, findRoutes, insertCopies } from "./copy_rollups.ts";
import { minuteRows, productRows } from "./rollup_rows.ts";
import { copyEvents, eventRows } from "./event_rows.ts";
import { insertEvents } from "./insert_events.ts";
import { copyInOneGo, inOneGo } from "./in_one_go.ts";
import { insertKeys, ROWS_PER_STATEMENT } from "./insert_keys.ts";
import { lockClaim } from "./lock_claim.ts";
import { columnOf, valuesOf } from "./values_of.ts";

/** A chunk read, checked and validated: all that the transaction needs, so that it awaits nothing but its statements. */
export interface ReadyChunk extends ValidChunk {
  /** Which attempt of the activity, for the ledger. */
  attempt: number;
  worker: string;
  /** Some of its events are there already, as far as is known. */
  hasOldEvents: boolean;
  leastRowsToCopy?: number | undefined;
}

/** What of it is needed where every event is asked for. */
export interface ValidChunk {
  fileId: number;
  epoch: number;
  chunkNo: number;
  contract: Contract;
  batch: ChunkBatch;
  /** Raw bytes of a record, given its offset and length, cut to the quarantine's cap. */
  rawOf: (byteStart: number, byteLength: number) => Uint8Array;
}

/** What a record in conflict says of itself, so that it is found once nothing contradicts it any more. */
export interface Conflict {
  eventId: string;
  contentHash: string;
}

/** Writes the chunk's row in the ledger once its counts are known; before what refers to its file. */
type CommitRow = (counts: Counts) => Promise<unknown>;

/** A record that goes to quarantine: found by validation, or by the ledger. */
type ChunkReject = RejectedRecord & Partial<Conflict>;

/**
 * The chunk transaction (I3, I4): keys, events, duplicates, rejects, rollup changes and the chunk's ledger row commit
 * together or not at all.
 *
 * @param sql Pool of the ingest role.
 * @param chunk The chunk.
 * @returns What became of its records; the stored counts if another attempt committed it first.
 * @throws SQLSTATE 23505 when events were taken for new and are not: try again with `hasOldEvents`.
 */
export async function loadChunk(sql: Sql, chunk: ReadyChunk): Promise<Counts> {
  const { leastRowsToCopy = LEAST_ROWS_TO_COPY } = chunk;
  const isWorthCopying = chunk.batch.accepted.lines.length >= leastRowsToCopy;
  if (!isWorthCopying || chunk.hasOldEvents) return await insertChunk(sql, chunk);
  return await copyChunk(sql, chunk) ?? await insertChunk(sql, chunk);
}

/** Fewer are inserted sooner than a COPY takes to begin and end. */
export const LEAST_ROWS_TO_COPY = 1_000;

/** Takes nothing for granted: asks for every event whether it is new. */
function insertChunk(sql: Sql, chunk: ReadyChunk): Promise<Counts> {
  return sql.begin("isolation level read committed", async (tx) => {
    await lockClaim(tx, chunk, "share");
    const horizon = await lockHorizon(tx, chunk);
    const committed = await lockChunk(tx, chunk);
    if (committed !== null) return committed;

    const events = await writeEvents(tx, chunk, horizon);
    return await writeLedger(tx, chunk, events, {
      commitRow: (counts) => commitChunkRow(tx, chunk, counts),
    });
  }) as Promise<Counts>;
}

/** What became of the records of a chunk whose events are written, or being written. */
export interface WrittenEvents {
  loaded: number;
  duplicates: number[];
  rejects: readonly ChunkReject[];
  /** The answer to what was sent. */
  sent: Promise<void>;
}

/**
 * Claims the keys of a chunk, in the transaction that holds its locks, and sends its events behind them.
 *
 * @param sentAhead Lines of new keys, where those were inserted already; see `insertKeys`.
 */
export async function writeEvents(
  tx: Transaction,
  chunk: ValidChunk,
  horizon: number,
  sentAhead?: ReadonlySet<number>,
): Promise<WrittenEvents> {
  const { accepted, rejects } = chunk.batch;
  const { rows, late } = splitAtHorizon(accepted.eventMicros.items(), horizon);
  const { fresh, duplicates, conflicting } = await insertKeys(tx, chunk, rows, sentAhead);
  return {
    loaded: fresh.length,
    duplicates,
    rejects: [
      ...rejects,
      ...late.map((row) => rejectOf(chunk, row, { code: "before_horizon" })),
      ...conflicting.map((row) => ({
        ...rejectOf(chunk, row, { code: "conflicting_event" }),
        ...conflictOf(chunk, row),
      })),
    ],
    sent: insertEvents(tx, chunk, fresh),
  };
}

/**
 * Writes the rest of what a chunk brings, behind its events.
 *
 * @param options.writeLast Sends, at once, one statement that locks what others may need: they wait until the commit.
 * @param options.commit Commits the transaction, of which nothing else is to be written; called where that saves an
 * exchange.
 */
export async function writeLedger(
  tx: Transaction,
  chunk: ValidChunk,
  { loaded, duplicates, rejects, sent }: WrittenEvents,
  { commitRow, writeLast, commit }: {
    commitRow: CommitRow;
    writeLast?: () => Promise<unknown> | undefined;
    commit?: Commit;
  },
): Promise<Counts> {
  // What takes several statements waits in between: a commit would overtake the later ones.
  const mayCommit = loaded <= ROWS_PER_STATEMENT && rejects.length <= REJECTS_PER_STATEMENT;
  const counts = {
    records: chunk.batch.records,
    loaded,
    duplicates: duplicates.length,
    rejected: rejects.length,
  };
  // Sent in one go: none waits for the answer to another.
  const last = [
    sent,
    commitRow(counts),
    insertRejects(tx, chunk, rejects),
    insertDuplicates(tx, chunk, duplicates),
    writeLast?.() ?? Promise.resolve(),
  ];
  await inOneGo([...last, mayCommit ? commit?.(last) : undefined]);
  return counts;
}

/**
 * Takes every event for new, as nearly all are, and copies them before it asks: the keys tell at the end, and take all
 * of it back if it was not so. Until they are sent, nothing is locked that loads, unloads or claims wait for: only
 * retention and migrations do, and both give up and try again.
 *
 * @returns null when the chunk cannot go this way
 */
async function copyChunk(sql: Sql, chunk: ReadyChunk): Promise<Counts | null> {
  const { contract, batch } = chunk;
  const { events, keys, rollups } = await inTurn(() => makeRows(chunk), { isUrgent: true });
  using _minutes = rollups.minutes;
  using _products = rollups.products;
  try {
    return await transact(sql, async (tx) => {
      const [, horizon, routes] = await inOneGo([
        lockLedger(tx),
        lockHorizon(tx, chunk),
        findRoutes(tx, rollups),
      ]);
      if (batch.accepted.eventMicros.items().some((time) => time < horizon)) {
        throw new TakenBack(null);
      }
      const steps = [
        () => copyRows(tx, copyEvents(contract), events),
        ...copyRollups(tx, rollups, routes),
        () => insertCopies(tx, routes),
        () => lockClaim(tx, chunk, "share"),
        () => lockOpenChunk(tx, chunk),
        () => copyKeys(tx, keys),
        () =>
          writeLedger(tx, chunk, {
            loaded: batch.accepted.lines.length,
            duplicates: [],
            rejects: batch.rejects,
            sent: Promise.resolve(),
          }, { commitRow: (counts) => commitChunkRow(tx, chunk, counts) }),
      ];
      return (await copyInOneGo(sql, steps)).at(-1);
    }) as Counts;
  } catch (error) {
    if (error instanceof TakenBack) return error.committed;
    throw error;
  }
}

/** @throws {TakenBack} when another attempt has committed the chunk. */
async function lockOpenChunk(tx: Transaction, chunk: ReadyChunk): Promise<void> {
  const committed = await lockChunk(tx, chunk);
  if (committed !== null) throw new TakenBack(committed);
}

/** All that is copied of a chunk, in steps. */
function* makeRows(chunk: ReadyChunk) {
  const { contract, batch } = chunk;
  const events = eventRows(chunk);
  yield;
  const keys = keyRows(chunk);
  yield;
  const minutes = minuteRows(contract, batch);
  yield;
  const products = productRows(contract, batch);
  return { events, keys, rollups: { minutes, products } };
}

/** Rows were copied that must not stay. */
class TakenBack extends Error {
  /** @param committed What the chunk brought, when another attempt was faster. */
  constructor(readonly committed: Counts | null) {
    super("Rows were copied that must not stay");
  }
}

/** A migration locks this table first as well: it then waits here, and not with the ledger in its hands. */
export async function lockLedger(tx: Transaction): Promise<void> {
  await tx`lock table ingest.files in row share mode`;
}

/** Events before this time, microseconds since 1970, have been dropped; it stays there until the transaction ends. */
export async function lockHorizon(
  tx: Transaction,
  { contract }: Pick<ValidChunk, "contract">,
): Promise<number> {
  const [horizon] = await tx<{ events_from: Date }[]>`
    select ingest.lock_horizon(${contract.feed}) as events_from`;
  return inMicros(horizon?.events_from);
}

/** A horizon as it is compared with the times of events. */
export function inMicros(eventsFrom: Date | undefined): number {
  return (eventsFrom?.getTime() ?? 0) * 1000;
}

/** Counts of a chunk that is committed already; null while it is only planned. */
async function lockChunk(tx: Transaction, chunk: ReadyChunk): Promise<Counts | null> {
  const [row] = await tx<(Counts & { committed: boolean })[]>`
    select committed_at is not null as committed, records, loaded, duplicates, rejected
    from ingest.chunks where file_id = ${chunk.fileId} and chunk_no = ${chunk.chunkNo}
    for update`;
  if (row === undefined) {
    throw new Error(
      `Cannot load chunk ${chunk.chunkNo} of file ${chunk.fileId}: it is not planned`,
    );
  }
  const { committed, ...counts } = row;
  return committed ? counts : null;
}

/** Positions of accepted records at or after the horizon, and before it. */
export function splitAtHorizon(
  eventMicros: Float64Array,
  horizon: number,
): { rows: number[]; late: number[] } {
  const rows: number[] = [];
  const late: number[] = [];
  for (let row = 0; row < eventMicros.length; row++) {
    (eventMicros[row]! >= horizon ? rows : late).push(row);
  }
  return { rows, late };
}

/** A record that is sound, but that the warehouse cannot take. */
function rejectOf(chunk: ValidChunk, row: number, fault: Fault): RejectedRecord {
  const { accepted } = chunk.batch;
  return {
    eventId: eventIdOf(chunk, row),
    line: accepted.lines.at(row),
    byteStart: accepted.byteStarts.at(row),
    byteLength: accepted.byteLengths.at(row),
    faults: [fault],
  };
}

/** Lists records whose event was loaded before, with equal content. */
export async function insertDuplicates(
  tx: Transaction,
  chunk: Pick<ReadyChunk, "fileId" | "batch" | "contract">,
  rows: number[],
): Promise<void> {
  if (rows.length === 0) return;
  const { fileId, batch: { accepted } } = chunk;
  const ids = valuesOf(chunk.contract, chunk.batch, "event_id");
  await tx`
    insert into ingest.duplicates (file_id, line_number, event_id)
    select ${fileId}::bigint, d.line_number, d.event_id
    from unnest(${plainArray(rows.map((row) => accepted.lines.at(row)))}::integer[],
                ${plainArray(rows.map((row) => ids[row] as string))}::uuid[])
      as d (line_number, event_id)`;
}

/** What an accepted record that met a key of other content says of itself. */
export function conflictOf(
  chunk: Pick<ReadyChunk, "batch" | "contract">,
  row: number,
): Conflict {
  return {
    eventId: eventIdOf(chunk, row),
    contentHash: chunk.batch.accepted.contentHashes.at(row),
  };
}

function eventIdOf(
  { batch, contract }: Pick<ReadyChunk, "batch" | "contract">,
  row: number,
): string {
  // One of many that may conflict: to make all values for each of them would take quadratic time.
  return columnOf(contract, batch, "event_id")!.at(row)!;
}

async function insertRejects(
  tx: Transaction,
  { fileId, contract, rawOf }: ValidChunk,
  rejects: readonly ChunkReject[],
): Promise<void> {
  for (let start = 0; start < rejects.length; start += REJECTS_PER_STATEMENT) {
    const some = rejects.slice(start, start + REJECTS_PER_STATEMENT);
    const raws = some.map(({ byteStart, byteLength }) => rawOf(byteStart, byteLength));
    await tx`
      insert into ingest.rejects
        (file_id, line_number, byte_start, byte_length, raw, raw_truncated, faults, event_id,
         content_hash, contract_version)
      select ${fileId}::bigint, r.line_number, r.byte_start, r.byte_length, r.raw,
             octet_length(r.raw) < r.byte_length, r.faults, r.event_id,
             r.content_hash, ${contract.version}::integer
      from unnest(${plainArray(some.map(({ line }) => line))}::integer[],
                  ${plainArray(some.map(({ byteStart }) => byteStart))}::bigint[],
                  ${plainArray(some.map(({ byteLength }) => byteLength))}::bigint[],
                  ${textArray(raws.map(toByteaHex))}::bytea[],
                  ${textArray(some.map(({ faults }) => JSON.stringify(faults)))}::jsonb[],
                  ${plainArray(some.map(({ eventId }) => eventId ?? null))}::uuid[],
                  ${plainArray(some.map(({ contentHash }) => contentHash ?? null))}::bigint[])
        as r (line_number, byte_start, byte_length, raw, faults, event_id, content_hash)`;
  }
}

async function commitChunkRow(tx: Transaction, chunk: ReadyChunk, counts: Counts): Promise<void> {
  await tx`
    update ingest.chunks
    set records = ${counts.records}, loaded = ${counts.loaded}, duplicates = ${counts.duplicates},
        rejected = ${counts.rejected}, epoch = ${chunk.epoch}, attempt = ${chunk.attempt},
        worker = ${chunk.worker}, committed_at = now()
    where file_id = ${chunk.fileId} and chunk_no = ${chunk.chunkNo}`;
}

/** Few enough that the raw bytes of one statement stay within tens of megabytes at the quarantine's cap. */
const REJECTS_PER_STATEMENT = 1_000;

function toByteaHex(bytes: Uint8Array): string {
  return `\\x${bytes.toHex()}`;
}
