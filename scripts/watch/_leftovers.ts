import { join } from "node:path";
import { isMissing } from "../../activities/file_identity.ts";
import { SETTLING_PREFIX } from "../../activities/move_file.ts";
import { settledById } from "../../activities/statements/unfinished_files.ts";
import type { WatchParts } from "../watch_inbox.ts";
import type { Outages } from "./_outages.ts";

/**
 * Files that a settling left between inbox and archive. As long as the ledger has their row as unfinished, its workflow
 * is started by every listing and brings them on; what nobody will bring on is told a person, once, and left alone.
 */
export class Leftovers {
  readonly #parts: WatchParts & { outages: Outages };
  readonly #told = new Set<string>();
  /** Seen beside a settled row once: the row may have been settled while we looked. */
  #settledBefore = new Set<string>();
  #looks = 0;

  constructor(parts: WatchParts & { outages: Outages }) {
    this.#parts = parts;
  }

  /**
   * Looks for such files: in the inbox each time, in archive and failed only at the start, because the archive grows and
   * what is left there by a worker that crashed later belongs to an unfinished row anyway.
   *
   * @param inboxNames Names of the entries of the inbox.
   */
  async look(inboxNames: readonly string[]): Promise<void> {
    const { sql, outages, inbox, directories: { archive, failed } } = this.#parts;
    const found = findSettling(inbox, inboxNames);
    if (this.#looks++ < 2) {
      for (const directory of new Set([archive, failed])) {
        found.push(...findSettling(directory, await listNames(directory)));
      }
    }
    if (found.length === 0) return;
    const settled = await outages.during(
      "PostgreSQL",
      () => settledById(sql, found.map(({ fileId }) => fileId)),
    );
    const settledNow = new Set<string>();
    for (const { path, fileId } of found) {
      const isSettled = settled.get(fileId);
      if (isSettled === undefined) {
        this.#tell(
          path,
          `the ledger has no file ${fileId}; remove it, or rename it to have it read`,
        );
      } else if (isSettled) {
        settledNow.add(path);
        if (!this.#settledBefore.has(path)) continue;
        this.#tell(path, `file ${fileId} is settled; rename it to have its bytes read`);
      }
    }
    this.#settledBefore = settledNow;
  }

  #tell(path: string, state: string): void {
    if (this.#told.has(path)) return;
    this.#told.add(path);
    this.#parts.log.warn(`Cannot settle ${path}: ${state}`);
  }
}

function findSettling(
  directory: string,
  names: readonly string[],
): { path: string; fileId: number }[] {
  return names.flatMap((name) => {
    const digits = name.startsWith(SETTLING_PREFIX) ? name.slice(SETTLING_PREFIX.length) : "";
    if (!/^[1-9]\d{0,14}$/.test(digits)) return [];
    return [{ path: join(directory, name), fileId: Number(digits) }];
  });
}

/** None while the directory is not there: archive and failed are made by the worker, which may come later. */
async function listNames(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
