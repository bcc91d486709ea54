import { readIdentity, sameVersion } from "../../activities/file_identity.ts";
import { discoveredInput } from "../../domain/discovery.ts";
import type { FileIdentity } from "../../domain/ingest_api.ts";
import { TaskError } from "../cli/failures.ts";
import type { Running } from "../cli/with_running.ts";
import type { Config } from "../config.ts";
import { ingestSettings } from "../services/pipeline_settings.ts";
import { readAttributes } from "../services/search_attributes.ts";
import { startIngestion } from "../services/start_ingestion.ts";
import type { FileProgress } from "../statements/file_progress.ts";
import { findFile, type FoundFile } from "../statements/find_file.ts";
import { findRetry, insertRetry } from "../statements/retry_file.ts";
import { waitUntilSettled } from "./wait_until_settled.ts";

const RETRIED_STATES: readonly string[] = ["failed", "cancelled", "unloaded"];

/**
 * Loads a file once more, from where its bytes are now, as a version of its own. What lies there may
 * have been corrected meanwhile.
 *
 * @param name file_id or name
 * @returns what became of it
 * @throws {TaskError} when the file may not be retried, or its bytes are gone
 */
export async function retryFile(
  running: Running,
  name: string,
  config: Config,
): Promise<FileProgress> {
  const { client, sql, inboxId } = running;
  const file = await findFile(sql, name);
  refuseOtherInbox(file, "retry", inboxId);
  if (!RETRIED_STATES.includes(file.state) || !file.settled) {
    throw new TaskError(`Cannot retry file ${file.fileId}: it is ${file.state}`);
  }
  const identity = await findBytes(running, file);
  const row = await insertRetry(sql, file, identity);
  if (row === undefined) {
    throw new TaskError(`Cannot retry file ${file.fileId}: a retry of it is under way already`);
  }
  const { missing } = await readAttributes(client.connection, client.options.namespace);
  const input = discoveredInput({
    feed: file.feed,
    inboxId,
    identity,
    discoveredAt: row.discoveredAt.getTime(),
    settings: ingestSettings(config, missing.length === 0),
  });
  await startIngestion(client, {
    input: { ...input, closedAt: null, fileId: row.fileId },
    workflowId: row.workflowId,
    again: true,
    eager: false,
    workflowTaskTimeoutMs: config.workflowTaskTimeoutMs,
  });
  return await waitUntilSettled(sql, row.fileId);
}

/** @throws {TaskError} naming the inbox that a file belongs to, when it is another than this one */
export function refuseOtherInbox(
  { fileId, inboxId: owner }: FoundFile,
  operation: string,
  inboxId: string,
): void {
  if (owner === inboxId) return;
  throw new TaskError(
    `Cannot ${operation} file ${fileId}: it belongs to inbox ${owner}, and here is ${inboxId}; run ` +
      "the command with the CLICKLEDGER_HOME or CLICKLEDGER_INBOX of that one",
  );
}

async function findBytes({ sql }: Running, file: FoundFile): Promise<FileIdentity> {
  const path = file.archivePath ?? file.identity.path;
  const found = await readIdentity(path);
  if (found?.isFile && (file.archivePath !== null || sameVersion(file.identity, found.identity))) {
    return found.identity;
  }
  const retry = await findRetry(sql, file.fileId);
  if (retry) {
    throw new TaskError(
      `Cannot retry file ${file.fileId}: it was retried as file ${retry.fileId}; see ` +
        `\`deno task files show ${retry.fileId}\``,
    );
  }
  if (file.errorCode === "replaced") {
    throw new TaskError(
      `Cannot retry file ${file.fileId}: its bytes were replaced before they could be moved out of the ` +
        "inbox, and what took their place is a file of its own; see `deno task files list`",
    );
  }
  const why = found === null
    ? "nothing is there"
    : found.isFile
    ? "another version is there, which is loaded as a file of its own"
    : "what is there is not a regular file";
  throw new TaskError(
    `Cannot retry file ${file.fileId}: its bytes should be at ${path}, but ${why}; put the file into ` +
      "the inbox again",
  );
}
