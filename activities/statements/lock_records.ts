import type { Transaction } from "../database.ts";

/**
 * Until the transaction ends, no other replays or takes out records of a file. Comes before every other lock: a replay
 * holds rejects and keys when it comes to the file's row, an unload holds the row when it comes to the rejects.
 *
 * @param tx Transaction that changes records of a file whose load is over.
 * @param fileId The file.
 */
export async function lockRecords(tx: Transaction, fileId: number): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended('ingest.files.records', ${fileId}))`;
}
