import type { IngestFileInput } from "../../domain/ingest_api.ts";
import type { Sql, Transaction } from "../database.ts";
import { type Claimant, type ClaimedFile, insertFile } from "./claim_file.ts";
import { inOneGo } from "./in_one_go.ts";
import { lockName } from "./lock_name.ts";
import { declareComplete } from "./finish_file.ts";
import {
  inMicros,
  insertCommittedChunk,
  lockLedger,
  type ValidChunk,
  writeChunk,
} from "./load_chunk.ts";
import type { StoredPlan } from "./record_plan.ts";
import { refuseNewer } from "./refuse_newer_schema.ts";
import { unfinishedPredecessors } from "./unfinished_predecessors.ts";

/** There is more to a file than can be done at once: nothing of it was written. */
export class NotPlain extends Error {
  override name = "NotPlain";
}

/**
 * One transaction for all of a new file of one chunk (I1, I3): its row, its plan, its events, its counts. The row is not
 * seen by others before it is loaded, so that there is no claim to be lost; another attempt, or a file of the same bytes,
 * waits at the unique index of the workflow or the content until this one has ended. A newer version of the name waits as
 * well, so that it finds what it grew from; that there was none before is looked at under that lock.
 *
 * @param sql Pool of the ingest role.
 * @param file What is known of it, and its one chunk.
 * @returns Its row, which is loaded now, and how many of its records were rejected.
 * @throws {NotPlain} when the ledger knows the file or its bytes, or a version that it may have grown from.
 */
export function insertAtOnce(
  sql: Sql,
  { input, workflow, schemaVersion, plan, chunk, archivePathOf, isAsRead }: {
    input: IngestFileInput;
    workflow: Claimant;
    schemaVersion: number;
    /** Of one chunk. */
    plan: StoredPlan;
    chunk: Omit<ValidChunk, "fileId" | "epoch" | "chunkNo">;
    /** Where the bytes of the row are about to be; null when they stay. */
    archivePathOf: (row: ClaimedFile) => string | null;
    /**
     * Whether the version that was read still lies at its path. Answers at once: a transaction that waits for anything but
     * its statements is not told when its connection ends, and the driver sends the next one to whoever has it by then.
     */
    isAsRead: () => boolean;
  },
): Promise<ClaimedFile & { rejected: number }> {
  return sql.begin("isolation level read committed", async (tx) => {
    const [, , ledger] = await inOneGo([
      lockLedger(tx),
      lockName(tx, input),
      askLedger(tx, input.feed, { ...workflow, sha256: plan.sha256 }),
    ]);
    refuseNewer(ledger.version, schemaVersion);
    if (ledger.known) throw new NotPlain("The ledger knows it");
    if (!isAsRead()) throw new NotPlain("Another version has its name");
    const row = await insertFile(tx, input, workflow, plan);
    const { fileId, epoch } = row;
    const archivePath = archivePathOf(row);
    const [planned] = plan.chunks;
    const committed = { ...chunk, fileId, epoch, chunkNo: planned!.chunkNo };
    const [{ rejected }, predecessors] = await inOneGo([
      writeChunk(tx, committed, inMicros(ledger.events_from), (counts) =>
        inOneGo([
          insertCommittedChunk(tx, committed, planned!, counts),
          declareComplete(tx, fileId, { archivePath }),
        ])),
      unfinishedPredecessors(tx, fileId),
    ]);
    if (predecessors.length > 0) throw new NotPlain("It may have grown from an older version");
    return { ...row, archivePath, rejected };
  }) as Promise<ClaimedFile & { rejected: number }>;
}

interface LedgerAnswer {
  events_from: Date;
  version: number;
  known: boolean;
}

/**
 * Locks the horizon, and asks for all that decides whether a file can be loaded at once. Asked before a number is drawn
 * for it; who comes in between is told by the unique indexes.
 */
async function askLedger(
  tx: Transaction,
  feed: string,
  { workflowId, sha256 }: { workflowId: string; sha256: string },
): Promise<LedgerAnswer> {
  const [row] = await tx<LedgerAnswer[]>`
    select ingest.lock_horizon(${feed}) as events_from, ingest.schema_version() as version,
           exists (select from ingest.files where workflow_id = ${workflowId})
           or exists (select from ingest.files
                      where feed = ${feed} and sha256 = ${sha256}
                        and state in ('loading', 'loaded', 'unloading')) as known`;
  return row!;
}
