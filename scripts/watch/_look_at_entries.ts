import { join } from "node:path";
import { readIdentity } from "../../activities/file_identity.ts";
import type { SeenEntry } from "../../activities/statements/known_identities.ts";
import { isAcceptedName } from "../../domain/ledger.ts";
import { inBatches } from "./_in_batches.ts";

/** Entries that are looked at, and asked for in the ledger, at a time. */
const ENTRIES_AT_ONCE = 1_000;
/** What the runtime puts for bytes of a name that are not UTF-8. */
const REPLACEMENT_CHARACTER = "\ufffd";

/** Entries of an inbox, some at a time, and what is odd about its names. */
export interface LookedAt {
  entries: SeenEntry[];
  /** Accepted names that are listed but cannot be found under the name that is shown. */
  unreadable: string[];
  /** By path, why an entry could not be looked at. */
  failed: Map<string, unknown>;
}

/**
 * Looks at the entries of an inbox whose names ask to be ingested. One that the disk cannot tell about does not hide the
 * others.
 *
 * @param inbox Absolute path.
 * @param names Names of its entries.
 * @param skip Tells which paths need not be looked at.
 */
export async function* lookAtEntries(
  inbox: string,
  names: readonly string[],
  skip: (path: string) => boolean,
): AsyncGenerator<LookedAt> {
  let paths: string[] = [];
  for (const name of names) {
    const path = join(inbox, name);
    if (!isAcceptedName(name) || skip(path)) continue;
    paths.push(path);
    if (paths.length < ENTRIES_AT_ONCE) continue;
    yield await lookAt(paths);
    paths = [];
  }
  if (paths.length > 0) yield await lookAt(paths);
}

async function lookAt(paths: readonly string[]): Promise<LookedAt> {
  const entries: SeenEntry[] = [];
  const unreadable: string[] = [];
  const failed = new Map<string, unknown>();
  await inBatches(paths, async (path) => {
    try {
      const found = await readIdentity(path);
      if (found !== null) entries.push(found);
      else if (path.includes(REPLACEMENT_CHARACTER)) unreadable.push(path);
    } catch (error) {
      failed.set(path, error);
    }
  });
  return { entries, unreadable, failed };
}
