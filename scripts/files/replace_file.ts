import { TaskError } from "../cli/failures.ts";
import type { Running } from "../cli/with_running.ts";
import type { Config } from "../config.ts";
import type { FileProgress } from "../statements/file_progress.ts";
import { findFile } from "../statements/find_file.ts";
import {
  type Contradiction,
  contradictionsOf,
  hasOlderVersion,
  versionInTheWay,
} from "../statements/older_versions.ts";
import { refuseOtherInbox } from "./retry_file.ts";
import { takeOut } from "./take_out.ts";
import { waitUntilSettled } from "./wait_until_settled.ts";

/** A correction that was applied, as far as it could be. */
export interface Replacement {
  readonly file: FileProgress;
  /** Files that are taken out for it. */
  readonly takenOut: number[];
  /** What still contradicts it. */
  readonly contradictions: Contradiction[];
}

/**
 * Applies a correction: takes out the version before, and each older one that contradicts it. What of the new one was in
 * conflict with them is loaded as a part of that, before that of any other file. May be repeated.
 *
 * @param name file_id or name of the new version
 * @throws {TaskError} when it has no older version, or one that cannot be taken out now
 */
export async function replaceFile(
  running: Running,
  name: string,
  config: Config,
): Promise<Replacement> {
  const { sql, inboxId } = running;
  const newer = await findFile(sql, name);
  const { fileId, fileName, state } = newer;
  refuseOtherInbox(newer, "replace", inboxId);
  if (state !== "loaded") throw new TaskError(`Cannot replace by file ${fileId}: it is ${state}`);
  if (!(await hasOlderVersion(sql, fileId))) {
    throw new TaskError(
      `Cannot replace by file ${fileId}: no older version of ${fileName} is known`,
    );
  }
  const takenOut: number[] = [];
  for (;;) {
    const older = await versionInTheWay(sql, fileId);
    if (older === undefined) break;
    if (older.state === "loading") {
      throw new TaskError(
        `Cannot replace by file ${fileId}: file ${older.fileId}, an older version of it, is still ` +
          "loading; repeat the command when it is loaded, or stop it: " +
          `deno task files cancel ${older.fileId}`,
      );
    }
    // Refused when another command was faster: then it is out already.
    const found = await findFile(sql, String(older.fileId));
    const { next } = await takeOut(running, found, config, fileId);
    if (next === "refused") continue;
    await waitUntilSettled(sql, older.fileId);
    takenOut.push(older.fileId);
  }
  const file = await waitUntilSettled(sql, fileId);
  if (file.state !== "loaded") {
    throw new TaskError(`Cannot replace by file ${fileId}: it is ${file.state} meanwhile`);
  }
  return { file, takenOut, contradictions: await contradictionsOf(sql, fileId) };
}
