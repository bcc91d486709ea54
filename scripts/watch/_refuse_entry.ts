import { fileNameOf } from "../../domain/file_name_of.ts";
import type { Sql } from "../../activities/database.ts";
import type { SeenEntry } from "../../activities/statements/known_identities.ts";
import { recordRefusedEntry } from "../../activities/statements/finish_file.ts";
import type { Contract } from "../../domain/contract.ts";
import { renderFileFault } from "../../domain/render_fault.ts";
import { ingestWorkflowId, printableName } from "../../domain/workflow_ids.ts";
import type { Logger } from "../log.ts";

/**
 * Writes the one ledger row of an entry that is never read, and tells a person the first time.
 *
 * @param entry What was seen; a directory's times change with its content, so the row's key is path and inode alone.
 * @param code Why it is not read.
 */
export async function refuseEntry(
  { sql, inboxId, contract, log }: {
    sql: Sql;
    inboxId: string;
    contract: Contract;
    log: Logger;
  },
  { identity }: SeenEntry,
  code: "refused" | "unreadable_name",
): Promise<void> {
  const { path, ino } = identity;
  const fileName = fileNameOf(path);
  const message = renderFileFault({ code }, printableName(fileName));
  const isNew = await recordRefusedEntry(sql, {
    feed: contract.feed,
    contractVersion: contract.version,
    inboxId,
    workflowId: ingestWorkflowId(inboxId, { path, ino, sizeBytes: 0, mtimeMs: 0, ctimeMs: 0 }),
    ...identity,
    fileName,
    errorCode: code,
    errorMessage: message,
  });
  if (isNew) log.warn(message);
}
