import { TaskError } from "../cli/failures.ts";
import type { Running } from "../cli/with_running.ts";
import type { Config } from "../config.ts";
import { copiesOf } from "../statements/copies_of.ts";
import type { FileProgress } from "../statements/file_progress.ts";
import { findFile } from "../statements/find_file.ts";
import { conflictsResolved, databaseTime } from "../statements/rejects.ts";
import { refuseOtherInbox } from "./retry_file.ts";
import { takeOut } from "./take_out.ts";
import { waitUntilSettled } from "./wait_until_settled.ts";

/** A file that was taken out, and what that makes possible. */
export interface Unloaded {
  readonly file: FileProgress;
  /** Files with the same bytes that could be loaded instead. */
  readonly copies: number[];
  /** Records of other files that contradicted its events, and are no rejects any more. */
  readonly replayed: number;
}

/**
 * Takes a loaded file out again, and waits for it. Events that another file also has are handed over to that one, and
 * what had contradicted the others is replayed.
 *
 * @param name file_id or name
 * @throws {TaskError} when it is not loaded
 */
export async function unloadFile(
  running: Running,
  name: string,
  config: Config,
): Promise<Unloaded> {
  const { sql, inboxId } = running;
  const file = await findFile(sql, name);
  const { fileId } = file;
  refuseOtherInbox(file, "unload", inboxId);
  const since = await databaseTime(sql);
  const { next, state } = await takeOut(running, file, config);
  if (next === "refused") throw new TaskError(`Cannot unload file ${fileId}: it is ${state}`);
  return {
    file: await waitUntilSettled(sql, fileId),
    copies: await copiesOf(sql, fileId),
    replayed: await conflictsResolved(sql, { since, fileId }),
  };
}
