import { ApplicationFailure } from "@temporalio/common";
import type { FileState } from "../../domain/ledger.ts";
import type { Transaction } from "../database.ts";

/** Columns of a file's row that steps read under the lock. */
export interface LockedFile {
  state: FileState;
  epoch: number;
  feed: string;
  sha256: string | null;
}

/**
 * The fence (I4): locks the row of a file and refuses an attempt whose claim is no longer the current one. Chunks of one
 * file share the lock, a change of epoch or state excludes them.
 *
 * @param tx Transaction of the step.
 * @param claim The claim that the attempt was given.
 * @param strength `share` for chunks, `update` for a step that changes the row.
 * @throws Terminal failure `StaleClaim`.
 */
export async function lockClaim(
  tx: Transaction,
  { fileId, epoch }: { fileId: number; epoch: number },
  strength: "share" | "update",
): Promise<LockedFile> {
  const [file] = await tx<LockedFile[]>`
    select state, epoch, feed, sha256 from ingest.files where file_id = ${fileId}
    ${strength === "share" ? tx`for share` : tx`for update`}`;
  if (file?.epoch === epoch && file.state === "loading") return file;
  throw ApplicationFailure.nonRetryable(
    `Cannot go on with file ${fileId}: it was claimed, cancelled or unloaded elsewhere ` +
      `(epoch ${epoch}, now ${file?.epoch ?? "none"}, ${file?.state ?? "gone"})`,
    "StaleClaim",
  );
}
