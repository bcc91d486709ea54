import { ApplicationFailure } from "@temporalio/common";
import type { CsvDialect } from "../../domain/scan_csv.ts";
import type { FileState } from "../../domain/ledger.ts";
import type { FilePlan } from "../../domain/plan_chunks.ts";
import type { Sql, Transaction } from "../database.ts";
import { lockClaim } from "./lock_claim.ts";

/** How the records of a file are read; `expanded`: from its expanded form in the spool. */
export type StoredDialect = CsvDialect & { expanded: boolean };

/** What inspection found out about the bytes of a file. */
export interface StoredPlan {
  sha256: string;
  endsWithNewline: boolean;
  /** Offset after the header in the expanded file. */
  dataStart: number;
  /** Size of the expanded file. */
  dataEnd: number;
  dialect: StoredDialect;
  header: readonly string[];
  chunks: {
    chunkNo: number;
    byteStart: number;
    byteEnd: number;
    firstLine: number;
    records: number;
    checksum: string;
  }[];
}

/**
 * What is stored of a plan.
 *
 * @param plan Of the bytes that records are read from: those of the file, or their expanded form.
 * @param options.sha256 Of the bytes as they landed.
 * @param options.header The header's fields as they were mapped.
 */
export function storedPlan(
  plan: FilePlan,
  { sha256, expanded, header }: {
    sha256: string;
    expanded: boolean;
    header: readonly string[];
  },
): StoredPlan {
  return {
    sha256,
    endsWithNewline: plan.endsWithNewline,
    dataStart: plan.chunks[0]?.byteStart ?? plan.sizeBytes,
    dataEnd: plan.sizeBytes,
    dialect: { ...plan.dialect, expanded },
    header,
    chunks: plan.chunks,
  };
}

/** What became of a plan. */
export type RecordedPlan =
  /** The chunks are those of the ledger: an inspection before may have cut the file otherwise. */
  | { next: "load"; fileId: number; epoch: number; chunks: number; records: number }
  | { next: "settle"; fileId: number };

/**
 * Stores the plan of a file, unless its bytes are known: then the file is a duplicate, or, when the other row is an
 * unsettled sighting of the same path whose bytes still lie there, this workflow takes that row over and goes on with its chunks.
 *
 * @param sql Pool of the ingest role.
 * @param file The claim of this workflow.
 * @param plan What inspection found.
 */
export function recordPlan(
  sql: Sql,
  file: { fileId: number; epoch: number },
  plan: StoredPlan,
): Promise<RecordedPlan> {
  return sql.begin(async (tx) => {
    const own = await lockClaim(tx, file, "update");
    if (own.sha256 === plan.sha256) return await toLoad(tx, file);
    if (own.sha256 !== null) {
      throw ApplicationFailure.nonRetryable(
        "Cannot load the file: its bytes differ from those that were inspected before",
        "FileChanged",
      );
    }
    const other = await lockSameContent(tx, file.fileId, plan.sha256);
    if (other === undefined) {
      await storePlan(tx, file.fileId, plan);
      return await toLoad(tx, file);
    }
    if (other.state === "unloading") {
      throw ApplicationFailure.create({
        type: "UnloadInProgress",
        message:
          `Cannot load the file yet: file ${other.file_id} has the same bytes and is being ` +
          "unloaded. It is tried again.",
        category: "BENIGN",
      });
    }
    // A row with an archive path may have its bytes there already; then those at the path are not its own.
    if (
      !other.settled && !other.archived &&
      (other.state === "loading" ? other.same_path : other.same_version)
    ) {
      const epoch = await takeOver(tx, file.fileId, other.file_id);
      if (other.state === "loaded") return { next: "settle", fileId: other.file_id };
      return await toLoad(tx, { fileId: other.file_id, epoch });
    }
    await tx`
      update ingest.files
      set sha256 = ${plan.sha256}, state = 'duplicate', duplicate_of = ${other.file_id},
          records = 0, loaded = 0, duplicates = 0, rejected = 0, committed_at = now()
      where file_id = ${file.fileId}`;
    return { next: "settle", fileId: file.fileId };
  }) as Promise<RecordedPlan>;
}

interface SameContent {
  file_id: number;
  state: FileState;
  settled: boolean;
  /** Its bytes are in the archive, or are about to be. */
  archived: boolean;
  same_path: boolean;
  /** Nothing but ctime differs: the other row is of the file that lies at the path now. */
  same_version: boolean;
}

async function toLoad(
  tx: Transaction,
  { fileId, epoch }: { fileId: number; epoch: number },
): Promise<RecordedPlan> {
  const [planned] = await tx<{ chunks: number; records: number }[]>`
    select count(*) as chunks, coalesce(sum(records), 0)::bigint as records
    from ingest.chunks where file_id = ${fileId}`;
  return { next: "load", fileId, epoch, ...(planned ?? { chunks: 0, records: 0 }) };
}

/**
 * The row that has the same bytes, locked as long as its state matters: against changes of state, or, if it is of the
 * same path, for taking it over (a share lock that becomes an exclusive one deadlocks with another of its kind).
 */
async function lockSameContent(
  tx: Transaction,
  fileId: number,
  sha256: string,
): Promise<SameContent | undefined> {
  for (;;) {
    const [seen] = await tx<{ file_id: number; same_path: boolean }[]>`
      select o.file_id, (o.inbox_id, o.path) = (f.inbox_id, f.path) as same_path
      from ingest.files f
      join ingest.files o on o.feed = f.feed and o.sha256 = ${sha256}
       and o.state in ('loading', 'loaded', 'unloading') and o.file_id <> f.file_id
      where f.file_id = ${fileId}`;
    if (seen === undefined) return undefined;
    const [locked] = await tx<SameContent[]>`
      select o.file_id, o.state, o.settled_at is not null as settled, o.archive_path is not null as archived,
             (o.inbox_id, o.path) = (f.inbox_id, f.path) as same_path,
             (o.inbox_id, o.path, o.ino, o.mtime_ms) = (f.inbox_id, f.path, f.ino, f.mtime_ms) as same_version
      from ingest.files o, ingest.files f
      where o.file_id = ${seen.file_id} and o.sha256 = ${sha256} and f.file_id = ${fileId}
        and o.state in ('loading', 'loaded', 'unloading')
      ${seen.same_path ? tx`for update of o` : tx`for share of o`}`;
    // Its state changed while we waited: perhaps another row has these bytes now.
    if (locked !== undefined) return locked;
  }
}

/** Writes down what inspection found. */
async function storePlan(tx: Transaction, fileId: number, plan: StoredPlan): Promise<void> {
  await tx`update ingest.files set ${tx(planColumns(tx, plan))} where file_id = ${fileId}`;
  if (plan.chunks.length === 0) return;
  await tx`
    insert into ingest.chunks (file_id, chunk_no, byte_start, byte_end, first_line, records, checksum)
    select ${fileId}::bigint, c.chunk_no, c.byte_start, c.byte_end, c.first_line, c.records, c.checksum
    from jsonb_to_recordset(${tx.json(plan.chunks.map(toChunkRow))}) as c
      (chunk_no integer, byte_start bigint, byte_end bigint, first_line integer, records integer, checksum text)`;
}

/** Columns of `ingest.files` that inspection knows. */
export function planColumns(tx: Transaction, plan: StoredPlan) {
  return {
    sha256: plan.sha256,
    ends_with_newline: plan.endsWithNewline,
    data_start: plan.dataStart,
    data_end: plan.dataEnd,
    dialect: tx.json({ ...plan.dialect }),
    header: tx.json([...plan.header]),
  };
}

function toChunkRow(chunk: StoredPlan["chunks"][number]) {
  return {
    chunk_no: chunk.chunkNo,
    byte_start: chunk.byteStart,
    byte_end: chunk.byteEnd,
    first_line: chunk.firstLine,
    records: chunk.records,
    checksum: chunk.checksum,
  };
}

interface Sighting {
  workflow_id: string;
  run_id: string | null;
  ino: number;
  mtime_ms: number;
  ctime_ms: number;
}

/**
 * The older row goes on under this workflow and sighting. The row that this workflow had made takes the older ones, as a
 * duplicate with nothing left to do: there the workflow that lost its file finds out, instead of taking it back.
 *
 * @returns The new epoch of the older row.
 */
async function takeOver(tx: Transaction, ownFileId: number, otherFileId: number): Promise<number> {
  const sightings = await tx<(Sighting & { file_id: number })[]>`
    select file_id, workflow_id, run_id, ino, mtime_ms, ctime_ms
    from ingest.files where file_id in (${ownFileId}, ${otherFileId})`;
  const own = sightings.find(({ file_id }) => file_id === ownFileId);
  const older = sightings.find(({ file_id }) => file_id === otherFileId);
  if (!own || !older) throw new Error(`Cannot take over file ${otherFileId}: a row is gone`);
  // Frees the name for the other row: it is unique at every moment.
  await tx`
    update ingest.files set workflow_id = ${`${own.workflow_id}/${ownFileId}`}
    where file_id = ${ownFileId}`;
  const [taken] = await tx<{ epoch: number }[]>`
    update ingest.files
    set workflow_id = ${own.workflow_id}, run_id = ${own.run_id}, epoch = epoch + 1,
        ino = ${own.ino}, mtime_ms = ${own.mtime_ms}, ctime_ms = ${own.ctime_ms}
    where file_id = ${otherFileId}
    returning epoch`;
  await tx`
    update ingest.files d
    set workflow_id = ${older.workflow_id}, run_id = ${older.run_id},
        ino = ${older.ino}, mtime_ms = ${older.mtime_ms}, ctime_ms = ${older.ctime_ms},
        sha256 = o.sha256, state = 'duplicate', duplicate_of = o.file_id,
        records = 0, loaded = 0, duplicates = 0, rejected = 0, committed_at = now(), settled_at = now()
    from ingest.files o
    where d.file_id = ${ownFileId} and o.file_id = ${otherFileId}`;
  if (taken === undefined) throw new Error(`Cannot take over file ${otherFileId}: row is gone`);
  return taken.epoch;
}
