import type { IngestFileInput } from "../../domain/ingest_api.ts";
import type { Sql, Transaction } from "../database.ts";
import { type Claimant, type ClaimedFile, insertFile } from "./claim_file.ts";
import { inOneGo } from "./in_one_go.ts";
import { lockName } from "./lock_name.ts";
import { declareComplete } from "./finish_file.ts";
import { lockHorizon, lockLedger, type ValidChunk, writeChunk } from "./load_chunk.ts";
import { type StoredPlan, storePlan } from "./record_plan.ts";
import { refuseNewerSchema } from "./refuse_newer_schema.ts";
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
    const [, , horizon, isKnown] = await inOneGo([
      lockLedger(tx),
      lockName(tx, input),
      lockHorizon(tx, chunk),
      isKnownAlready(tx, input.feed, { ...workflow, sha256: plan.sha256 }),
      refuseNewerSchema(tx, schemaVersion),
    ]);
    if (isKnown) throw new NotPlain("The ledger knows it");
    if (!isAsRead()) throw new NotPlain("Another version has its name");
    const row = await insertFile(tx, input, workflow);
    const { fileId, epoch } = row;
    const [, predecessors] = await inOneGo([
      storePlan(tx, fileId, plan),
      unfinishedPredecessors(tx, fileId),
    ]);
    if (predecessors.length > 0) throw new NotPlain("It may have grown from an older version");
    const { rejected } = await writeChunk(tx, { ...chunk, fileId, epoch, chunkNo: 0 }, horizon);
    const archivePath = archivePathOf(row);
    await declareComplete(tx, fileId, { archivePath });
    return { ...row, archivePath, rejected };
  }) as Promise<ClaimedFile & { rejected: number }>;
}

/** Asked before a number is drawn for it; who comes in between is told by the unique indexes. */
async function isKnownAlready(
  tx: Transaction,
  feed: string,
  { workflowId, sha256 }: { workflowId: string; sha256: string },
): Promise<boolean> {
  const [row] = await tx<{ known: boolean }[]>`
    select exists (select from ingest.files where workflow_id = ${workflowId})
        or exists (select from ingest.files
                   where feed = ${feed} and sha256 = ${sha256}
                     and state in ('loading', 'loaded', 'unloading')) as known`;
  return row?.known ?? false;
}
