import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ApplicationFailure } from "@temporalio/common";
import { errorCode, isMissing, readIdentity } from "./file_identity.ts";

/** Lies in every inbox; the empty directory under an unmounted disk has none. */
const INBOX_MARKER = ".clickledger-inbox";

/** Directories in which this process saw the marker. */
const inboxes = new Set<string>();

/** Remembers that the directory of a file is an inbox, if it is one. */
export async function rememberInbox(path: string): Promise<void> {
  const directory = dirname(path);
  if (inboxes.has(directory)) return;
  // The file has been opened: whatever the marker's state is, it does not stand in the way.
  const marker = await readIdentity(join(directory, INBOX_MARKER)).catch(() => null);
  if (marker !== null) inboxes.add(directory);
}

/**
 * A file is not gone while its directory is away (an unmounted disk, a share that is not there, a renamed folder): when
 * that is back, the file lies there with the identity it had.
 *
 * @param path Where nothing was found.
 * @throws Retryable failure `InboxAway` when the directory is not there, or is an inbox that lost its marker.
 */
export async function refuseAway(path: string): Promise<void> {
  const directory = dirname(path);
  if (!(await isDirectoryThere(directory))) {
    throw inboxAway(path, `its directory ${directory} is not there`);
  }
  if (inboxes.has(directory) && await readIdentity(join(directory, INBOX_MARKER)) === null) {
    throw inboxAway(path, `its directory ${directory} has no ${INBOX_MARKER} any more`);
  }
}

/** Links are followed: the directory may be one to where a disk is mounted. */
async function isDirectoryThere(directory: string): Promise<boolean> {
  try {
    return (await stat(directory)).isDirectory();
  } catch (error) {
    if (isMissing(error) || errorCode(error) === "ENOTDIR") return false;
    throw error;
  }
}

function inboxAway(path: string, state: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: "InboxAway",
    message: `Cannot read ${path}: ${state}. Mount it or put it back, or cancel the file with ` +
      "`deno task files cancel`. It is tried again.",
  });
}
