import { readIdentity } from "../../activities/file_identity.ts";
import {
  type ArchivedFile,
  archivedFiles,
  recordGrownFile,
} from "../../activities/statements/grown_files.ts";
import { discoveredInput } from "../../domain/discovery.ts";
import { QuietFiles } from "../../domain/quiet_files.ts";
import { ingestWorkflowId } from "../../domain/workflow_ids.ts";
import type { WatchParts } from "../watch_inbox.ts";
import { inBatches } from "./_in_batches.ts";
import type { Outages } from "./_outages.ts";

const MINUTE_MS = 60_000;
/** A writer that goes on after the move mostly does so soon: these files are looked at by each listing ... */
const RECENT_MS = 10 * MINUTE_MS;
/** ... and those of a day now and then. */
const DAY_MS = 24 * 60 * MINUTE_MS;
const DAY_LOOK_EVERY_MS = 10 * MINUTE_MS;
/** Of these at most; it takes a second. */
const MAX_FILES = 50_000;

/**
 * Files that a writer went on with through its open handle after they were moved to the archive. A grown one is loaded
 * as a new version; its first records are known and count as duplicates.
 */
export class GrownFiles {
  readonly #parts: WatchParts & { outages: Outages };
  readonly #growing: QuietFiles;
  #dayLookAt = -Infinity;

  constructor(parts: WatchParts & { outages: Outages }) {
    this.#parts = parts;
    this.#growing = new QuietFiles(parts.settleMs);
  }

  /** Looks at the archived files; one that has grown and is quiet gets its row. */
  async look(): Promise<void> {
    const { sql, inboxId, outages } = this.#parts;
    const isDayLook = performance.now() - this.#dayLookAt > DAY_LOOK_EVERY_MS;
    const withinMs = isDayLook ? DAY_MS : RECENT_MS;
    const files = await outages.during(
      "PostgreSQL",
      () => archivedFiles(sql, { inboxId, withinMs, limit: MAX_FILES }),
    );
    await inBatches(files, (file) => this.#lookAt(file));
    if (isDayLook) this.#dayLookAt = performance.now();
  }

  async #lookAt({ fileId, feed, archivePath, sizeBytes }: ArchivedFile): Promise<void> {
    // An archive that another machine has cannot be looked at from here.
    const found = await readIdentity(archivePath).catch(() => null);
    if (!found?.isFile || found.identity.sizeBytes <= sizeBytes) return;
    const { identity } = found;
    if (this.#growing.see(identity, performance.now()) === "waiting") return;
    const { sql, inboxId, settings, outages, log } = this.#parts;
    const { closedAt } = discoveredInput({
      feed,
      inboxId,
      identity,
      discoveredAt: Date.now(),
      settings,
    });
    const workflowId = ingestWorkflowId(inboxId, identity);
    const isNew = await outages.during(
      "PostgreSQL",
      () => recordGrownFile(sql, fileId, { identity, workflowId, closedAt }),
    );
    if (!isNew) return;
    log.warn(
      `Cannot leave file ${fileId} in the archive as it is: its writer went on after it was moved, ` +
        `from ${sizeBytes} to ${identity.sizeBytes} bytes; what is new is loaded. Writers should ` +
        "rename a file into the inbox when it is complete",
    );
  }
}
