import { fileNameOf } from "../../domain/file_name_of.ts";
import type { Transaction } from "../database.ts";

/**
 * Lets the versions of one name be written down one after the other: a transaction that loads a version before anybody
 * can see its row is waited for by the one that makes the row of the next, which has to know what it grew from.
 *
 * @param tx Transaction that makes a row; the lock ends with it.
 * @param file Its inbox and path.
 */
export async function lockName(
  tx: Transaction,
  { inboxId, identity: { path } }: { inboxId: string; identity: { path: string } },
): Promise<void> {
  const name = fileNameOf(path);
  await tx`select pg_advisory_xact_lock(hashtextextended(${`${inboxId}/${name}`}, 0))`;
}
