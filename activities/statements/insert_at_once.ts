import type { Contract } from "../../domain/contract.ts";
import type { IngestFileInput } from "../../domain/ingest_api.ts";
import type { Counts } from "../../domain/ledger.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import type { Sql, Transaction } from "../database.ts";
import { hasBegun, transact } from "../transact.ts";
import { claimColumns } from "./claim_file.ts";
import { describeProducts } from "./describe_products.ts";
import { supersededBy } from "./finish_file.ts";
import { inOneGo } from "./in_one_go.ts";
import { keysToSendAhead } from "./insert_keys.ts";
import { lockName } from "./lock_name.ts";
import { inMicros, type ValidChunk, writeEvents, writeLedger } from "./load_chunk.ts";
import { planColumns, type StoredPlan } from "./record_plan.ts";
import { refuseNewer } from "./refuse_newer_schema.ts";
import { hasUnfinishedPredecessor } from "./unfinished_predecessors.ts";

/** There is more to a file than can be done at once: nothing of it was written. */
export class NotPlain extends Error {
  override name = "NotPlain";
}

/** A file of one chunk, read as a whole. */
interface PlainFile {
  input: IngestFileInput;
  /** Of the workflow that it is loaded for. */
  workflowId: string;
  plan: StoredPlan;
}

/** Who loads a file, for the ledger. */
export interface Loader {
  /** Of the workflow. */
  runId: string;
  /** Which attempt of the activity, from 1. */
  attempt: number;
  /** When its turn came, by the monotonic clock of this process. */
  since: number;
}

/** The chunk of it. */
interface LoadedChunk extends ValidChunk {
  /** Name of the worker, for the ledger. */
  worker: string;
}

/** What becomes of it. */
export interface LoadedFile {
  fileId: number;
  epoch: number;
  /** Where its bytes are about to be; null when they stay. */
  archivePath: string | null;
  rejected: number;
  /** From begin to commit, without the wait for its turn, milliseconds. */
  tookMs: number;
}

/**
 * One transaction for all of a new file of one chunk (I1, I3): its row, its plan, its events, its counts, and what they tell
 * of products. The row is not seen by others before it is loaded, so that there is no claim to be lost. Another attempt, or
 * a newer version of the name, waits for the lock of the name, and then finds the row. A file of the same bytes waits at the
 * first key, or, where they have none in common, at the unique index of the content: there it is refused, whatever it has
 * found out about its keys. Who describes the same products waits last, for the commit alone.
 *
 * @param sql Pool of the ingest role.
 * @param file What is known of it, and its one chunk.
 * @returns Its row, which is loaded now.
 * @throws {NotPlain} when the ledger knows the file or its bytes, or a version that it may have grown from, or when
 * another one has its name.
 * @throws what `turn` rejects with, and what `check` throws.
 */
export async function insertAtOnce(
  sql: Sql,
  { turn, check, schemaVersion, chunk, archivePathOf, isAsRead, ...file }: PlainFile & {
    /** Is waited for before anything refers to who loads the file, as its rows in the ledger do. */
    turn: Promise<Loader>;
    /** Throws when the file is not to be loaded any more. */
    check: () => void;
    schemaVersion: number;
    chunk: Omit<LoadedChunk, "fileId" | "epoch" | "chunkNo">;
    /** Where the bytes of the file of this number are about to be; null when they stay. */
    archivePathOf: (file: { fileId: number; epoch: number }) => string | null;
    /** Whether the version that was read still lies at its path. */
    isAsRead: () => boolean;
  },
): Promise<LoadedFile> {
  const { chunkNo } = onlyChunk(file.plan);
  const begunAt = performance.now();
  let waitedMs = 0;
  const { products, ...loaded } = await transact(sql, async (tx, commit) => {
    check();
    const [, ledger] = await inOneGo([
      lockName(tx, file.input),
      askLedger(tx, file, { schemaVersion, ...chunk }),
    ]);
    check();
    refuseNewer(ledger.version, schemaVersion);
    const { fileId } = ledger;
    if (fileId === null) throw new NotPlain("The ledger knows it, or what it may have grown from");
    const archivePath = archivePathOf({ fileId, epoch: FIRST_EPOCH });
    const numbered = { ...chunk, fileId, epoch: FIRST_EPOCH, chunkNo };
    const events = await writeEvents(
      tx,
      numbered,
      inMicros(ledger.eventsFrom),
      new Set(ledger.newLines),
    );
    // Should the events fail, that is told without waiting for a turn.
    await Promise.race([turn, events.sent]);
    const idleAt = performance.now();
    const loader = await turn;
    waitedMs = performance.now() - idleAt;
    if (!isAsRead()) throw new NotPlain("Another version has its name");
    const products = describeProducts(sql, chunk.contract, chunk.batch);
    const { rejected } = await writeLedger(tx, numbered, events, {
      commitRow: (counts) =>
        insertLoaded(tx, { ...file, ...loader }, numbered, { ...counts, archivePath }),
      writeLast: () => products?.write(tx),
      commit,
    });
    return { fileId, epoch: FIRST_EPOCH, archivePath, rejected, products };
  });
  products?.remember();
  return { ...loaded, tookMs: performance.now() - begunAt - waitedMs };
}

/** Of a file that was claimed once. */
const FIRST_EPOCH = 1;

interface LedgerAnswer {
  eventsFrom: Date;
  version: number;
  /** Drawn for the file; null, and none drawn, when it cannot be loaded at once. */
  fileId: number | null;
  /** Lines whose keys are the file's now; null when none are. */
  newLines: number[] | null;
}

/**
 * Asks for all that decides; who comes in between is told by the unique indexes. Locks the ledger against migrations
 * before it runs, as `lockLedger` does for chunks: that is what `for key share` is for, and `ledger` stands before `keys`.
 * Then locks the horizon. What was answered is what the keys are inserted by, behind it and in their order; without a
 * number, and without a transaction, there are none to insert.
 */
async function askLedger(
  tx: Transaction,
  { input, workflowId, plan }: PlainFile,
  { schemaVersion, ...chunk }: { schemaVersion: number; batch: ChunkBatch; contract: Contract },
): Promise<LedgerAnswer> {
  const [row] = await tx<LedgerAnswer[]>`
    with ledger as materialized (
      select ingest.lock_horizon(${input.feed}) as events_from, ingest.schema_version() as version,
             case when not exists (select from ingest.files
                                   where workflow_id = ${workflowId} for key share)
                   and not exists (select from ingest.files
                                   where feed = ${input.feed} and sha256 = ${plan.sha256}
                                     and state in ('loading', 'loaded', 'unloading'))
                   and not ${hasUnfinishedPredecessor(tx, input)}
             then nextval('ingest.files_file_id_seq') end as file_id),
    keys as (
      insert into ingest.event_keys (event_id, event_time, file_id, content_hash, line_number)
      select k.event_id, k.event_time, l.file_id, k.content_hash, k.line_number
      from ledger l, ${keysToSendAhead(tx, chunk)}
      where l.file_id is not null and l.version <= ${schemaVersion}
        and k.event_time >= l.events_from and ${hasBegun(tx)}
      order by k.event_id, k.line_number
      on conflict do nothing
      returning line_number)
    select events_from as "eventsFrom", version, file_id as "fileId",
           (select json_agg(line_number) from keys) as "newLines"
    from ledger`;
  return row!;
}

/**
 * The rows of the file and of its chunk, planned and loaded at once. The chunk is known to cover the file (I1); that its
 * counts add up is a constraint. As the transaction may have waited for its turn, the file counts as started when that had
 * come as well, by the server's clock, and the time of its commit is that of this statement.
 */
async function insertLoaded(
  tx: Transaction,
  { input, workflowId, plan, runId, attempt, since }: PlainFile & Loader,
  { fileId, chunkNo, epoch, contract, worker }: LoadedChunk,
  { archivePath, ...counts }: Counts & { archivePath: string | null },
): Promise<void> {
  const file = {
    file_id: fileId,
    ...claimColumns(input, { workflowId, runId, contractVersion: contract.version }),
    ...planColumns(tx, plan),
    epoch,
    state: "loaded",
    ...counts,
    archive_path: archivePath,
  };
  const { byteStart, byteEnd, firstLine, checksum } = onlyChunk(plan);
  const names = tx(Object.keys(file));
  const agoMs = performance.now() - since;
  await tx`
    with file as (insert into ingest.files (${names}, started_at, committed_at, supersedes)
      overriding system value
      select ${tx(file)},
             greatest(now(), statement_timestamp() - ${agoMs}::double precision * interval '1 ms'),
             statement_timestamp(), ${supersededBy(tx, { ...file, retry_of: null })})
    insert into ingest.chunks
      (file_id, chunk_no, byte_start, byte_end, first_line, checksum, records, loaded, duplicates, rejected,
       epoch, attempt, worker, committed_at)
    values (${fileId}, ${chunkNo}, ${byteStart}, ${byteEnd}, ${firstLine}, ${checksum},
       ${counts.records}, ${counts.loaded}, ${counts.duplicates}, ${counts.rejected},
       ${epoch}, ${attempt}, ${worker}, statement_timestamp())`;
}

/** The one chunk, which covers all that is behind the header. */
function onlyChunk({ chunks, dataStart, dataEnd }: StoredPlan): StoredPlan["chunks"][number] {
  const [chunk, ...others] = chunks;
  if (others.length === 0 && chunk?.byteStart === dataStart && chunk.byteEnd === dataEnd) {
    return chunk;
  }
  throw new NotPlain("It is not one chunk");
}
