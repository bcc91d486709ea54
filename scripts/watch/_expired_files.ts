import { rm } from "node:fs/promises";
import { readIdentity } from "../../activities/file_identity.ts";
import {
  type ExpiredFile,
  expiredFiles,
  forgetBytes,
} from "../../activities/statements/expired_files.ts";
import type { WatchParts } from "../watch_inbox.ts";
import type { Outages } from "./_outages.ts";

/** A listing removes so many at most; the next goes on. */
const MAX_FILES = 1_000;

/** Under the policy `delete`: removes archived files whose rows are loaded, some time after they were settled. */
export class ExpiredFiles {
  readonly #parts: WatchParts & { outages: Outages };
  readonly #told = new Set<number>();

  constructor(parts: WatchParts & { outages: Outages }) {
    this.#parts = parts;
  }

  /** Removes what has expired; nothing under another policy. */
  async look(): Promise<void> {
    const { sql, inboxId, outages, deleteAfterMs: afterMs } = this.#parts;
    if (afterMs === undefined) return;
    const files = await outages.during(
      "PostgreSQL",
      () => expiredFiles(sql, { inboxId, afterMs, limit: MAX_FILES }),
    );
    for (const file of files) await this.#remove(file);
  }

  async #remove(file: ExpiredFile): Promise<void> {
    const { sql, outages, log } = this.#parts;
    const { fileId, archivePath, sizeBytes, mtimeMs } = file;
    const found = await readIdentity(archivePath).catch(() => undefined);
    if (found === undefined) return;
    // Somebody has written to it since it was read: never removed unread.
    const isSame = found === null ||
      (found.isFile && found.identity.sizeBytes === sizeBytes &&
        found.identity.mtimeMs === mtimeMs);
    if (!isSame) {
      if (!this.#told.has(fileId)) {
        this.#told.add(fileId);
        log.warn(
          { fileId, path: archivePath },
          "Cannot delete an archived file: it is not as it was read",
        );
      }
      return;
    }
    // Removed first: after a crash in between it is found gone, and only that is written.
    if (found !== null) await rm(archivePath, { force: true });
    await outages.during("PostgreSQL", () => forgetBytes(sql, file));
    log.debug({ fileId }, "Deleted an archived file");
  }
}
