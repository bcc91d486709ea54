import { ApplicationFailure } from "@temporalio/common";
import type { CsvDialect } from "../../domain/scan_csv.ts";
import type { FileState } from "../../domain/ledger.ts";
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
  header: string[];
  chunks: {
    chunkNo: number;
    byteStart: number;
    byteEnd: number;
    firstLine: number;
    records: number;
    checksum: string;
  }[];
}

/** What became of a plan. */
export type RecordedPlan =
  | { next: "load"; fileId: number; epoch: number }
  | { next: "settle"; fileId: number };

/**
 * Stores the plan of a file, unless its bytes are known: then the file is a duplicate, or, when the other row is an
 * unsettled sighting of the same path, this workflow takes that row over and goes on with its chunks.
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
    if (own.sha256 === plan.sha256) return { next: "load", ...file };
    if (own.sha256 !== null) {
      throw ApplicationFailure.nonRetryable(
        "Cannot load the file: its bytes differ from those that were inspected before",
        "FileChanged",
      );
    }
    const other = await findSameContent(tx, file.fileId, plan.sha256);
    if (other === undefined) {
      await storePlan(tx, file.fileId, plan);
      return { next: "load", ...file };
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
    if (other.same_landing && !other.settled && other.state === "loading") {
      return await takeOver(tx, file.fileId, other.file_id);
    }
    await tx`
      update ingest.files
      set sha256 = ${plan.sha256}, state = 'duplicate', duplicate_of = ${other.file_id},
          records = 0, loaded = 0, duplicates = 0, rejected = 0, committed_at = now()
      where file_id = ${file.fileId}`;
    return { next: "settle", fileId: file.fileId };
  }) as Promise<RecordedPlan>;
}

interface OwnSighting {
  workflow_id: string;
  run_id: string;
  ino: number;
  mtime_ms: number;
  ctime_ms: number;
}

interface SameContent {
  file_id: number;
  state: FileState;
  settled: boolean;
  same_landing: boolean;
}

async function findSameContent(
  tx: Transaction,
  fileId: number,
  sha256: string,
): Promise<SameContent | undefined> {
  const [other] = await tx<SameContent[]>`
    select o.file_id, o.state, o.settled_at is not null as settled,
           (o.inbox_id, o.path) = (f.inbox_id, f.path) as same_landing
    from ingest.files f
    join ingest.files o on o.feed = f.feed and o.sha256 = ${sha256}
     and o.state in ('loading', 'loaded', 'unloading') and o.file_id <> f.file_id
    where f.file_id = ${fileId}
    for share of o`;
  return other;
}

async function storePlan(tx: Transaction, fileId: number, plan: StoredPlan): Promise<void> {
  await tx`
    update ingest.files f
    set sha256 = ${plan.sha256}, ends_with_newline = ${plan.endsWithNewline},
        data_start = ${plan.dataStart}, data_end = ${plan.dataEnd},
        dialect = ${tx.json({ ...plan.dialect })}, header = ${tx.json(plan.header)},
        supersedes = (select max(o.file_id) from ingest.files o
                      where o.inbox_id = f.inbox_id and o.file_name = f.file_name
                        and o.file_id < f.file_id and o.state in ('loaded', 'unloading')
                        and o.file_id is distinct from f.retry_of)
    where f.file_id = ${fileId}`;
  if (plan.chunks.length === 0) return;
  await tx`
    insert into ingest.chunks (file_id, chunk_no, byte_start, byte_end, first_line, records, checksum)
    select ${fileId}::bigint, c.chunk_no, c.byte_start, c.byte_end, c.first_line, c.records, c.checksum
    from jsonb_to_recordset(${tx.json(plan.chunks.map(toChunkRow))}) as c
      (chunk_no integer, byte_start bigint, byte_end bigint, first_line integer, records integer, checksum text)`;
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

/** The older row goes on under this workflow; the row that this workflow had made was never more than a name. */
async function takeOver(
  tx: Transaction,
  ownFileId: number,
  otherFileId: number,
): Promise<RecordedPlan> {
  const [own] = await tx<OwnSighting[]>`
    delete from ingest.files where file_id = ${ownFileId}
    returning workflow_id, run_id, ino, mtime_ms, ctime_ms`;
  if (own === undefined) throw new Error(`Cannot take over file ${otherFileId}: own row is gone`);
  const [taken] = await tx<{ epoch: number }[]>`
    update ingest.files
    set workflow_id = ${own.workflow_id}, run_id = ${own.run_id}, epoch = epoch + 1,
        ino = ${own.ino}, mtime_ms = ${own.mtime_ms}, ctime_ms = ${own.ctime_ms}
    where file_id = ${otherFileId}
    returning epoch`;
  if (taken === undefined) throw new Error(`Cannot take over file ${otherFileId}: row is gone`);
  return { next: "load", fileId: otherFileId, epoch: taken.epoch };
}
