import { constants } from "node:fs";
import { copyFile, type FileHandle, open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../../activities/file_identity.ts";
import { insertManifest } from "../../activities/statements/insert_manifest.ts";
import { manifestOf, readManifest } from "../../domain/manifest.ts";
import type { WatchParts } from "../watch_inbox.ts";
import type { Outages } from "./_outages.ts";

/** A manifest is a few lines; what is larger is none. */
const MAX_BYTES = 64 * 1024;
/** One that has not changed for this long is written to its end. */
const QUIET_MS = 1_000;
const NOTHING = { rows: null, amount: null, sha256: null };

/** Reads the manifests that lie in the inbox, and moves them into the archive. */
export class Manifests {
  readonly #parts: WatchParts & { outages: Outages };

  constructor(parts: WatchParts & { outages: Outages }) {
    this.#parts = parts;
  }

  /** @param inboxNames Names of the entries of the inbox. */
  async look(inboxNames: readonly string[]): Promise<void> {
    for (const name of inboxNames) {
      const fileName = manifestOf(name);
      if (fileName !== undefined) await this.#take(name, fileName);
    }
  }

  async #take(name: string, fileName: string): Promise<void> {
    const { sql, inbox, inboxId, outages, directories: { archive }, log } = this.#parts;
    const path = join(inbox, name);
    const text = await readQuiet(path);
    if (text === undefined) return;
    const read = text === null ? { error: "it is too large" } : readManifest(text);
    const said = "manifest" in read ? { ...read.manifest, error: null } : { ...NOTHING, ...read };
    await outages.during("PostgreSQL", () => insertManifest(sql, { inboxId, fileName, ...said }));
    if (said.error !== null) log.warn({ path }, `Cannot read the manifest: ${said.error}`);
    // Stored first: after a crash in between it is read again, and says the same.
    await move(path, join(archive, `${name}.${Date.now()}`)).catch((error: unknown) => {
      const reason = String(errorCode(error));
      log.warn({ path, reason }, "Cannot archive the manifest");
    });
  }
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (errorCode(error) !== "EXDEV") throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL);
    await unlink(from);
  }
}

/** Null when it is too large; undefined when it is no regular file, gone, or still being written. */
async function readQuiet(path: string): Promise<string | null | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || Date.now() - stat.mtimeMs < QUIET_MS) return undefined;
    return stat.size > MAX_BYTES ? null : await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}
