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
const DAY_MS = 24 * 60 * MINUTE_MS;
/**
 * Time since a file was settled at which it is looked at. A writer that goes on after the move mostly does so soon, so the
 * next look comes when the file is half as old again, and ten minutes later at most.
 */
const AGES_MS = agesUpTo(DAY_MS);
/** Looked at in one go at most; it takes a second. */
const MAX_FILES = 50_000;

function agesUpTo(mostMs: number): number[] {
  const ages = [0];
  for (let age = 5_000; age < mostMs; age += Math.min(age / 2, 10 * MINUTE_MS)) ages.push(age);
  return ages;
}

/**
 * Files that a writer went on with through its open handle after they were moved to the archive. A grown one is loaded
 * as a new version; its first records are known and count as duplicates.
 */
export class GrownFiles {
  readonly #parts: WatchParts & { outages: Outages };
  readonly #growing: QuietFiles;
  /** Seen to have grown, and without a row for it yet, by path: looked at by each listing. */
  readonly #grown = new Map<string, ArchivedFile>();
  #lookedAt: number | undefined;

  constructor(parts: WatchParts & { outages: Outages }) {
    this.#parts = parts;
    this.#growing = new QuietFiles(parts.settleMs);
  }

  /** Looks at archived files that have come to an age since the look before; one that has grown and is quiet gets its row. */
  async look(): Promise<void> {
    const { sql, inboxId, outages } = this.#parts;
    const now = performance.now();
    const ages = this.#lookedAt === undefined
      ? { agesMs: [0], withinMs: DAY_MS }
      : { agesMs: AGES_MS, withinMs: now - this.#lookedAt };
    const due = await outages.during(
      "PostgreSQL",
      () => archivedFiles(sql, { inboxId, ...ages, limit: MAX_FILES }),
    );
    this.#lookedAt = now;
    const files = new Map(this.#grown);
    for (const file of due) files.set(file.archivePath, file);
    await inBatches([...files.values()], (file) => this.#lookAt(file));
  }

  async #lookAt(file: ArchivedFile): Promise<void> {
    const { fileId, feed, archivePath, sizeBytes } = file;
    // An archive that another machine has cannot be looked at from here.
    const found = await readIdentity(archivePath).catch(() => null);
    if (!found?.isFile || found.identity.sizeBytes <= sizeBytes) {
      this.#grown.delete(archivePath);
      return;
    }
    this.#grown.set(archivePath, file);
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
    this.#grown.delete(archivePath);
    log.warn(
      `Cannot leave file ${fileId} in the archive as it is: its writer went on after it was moved, ` +
        `from ${sizeBytes} to ${identity.sizeBytes} bytes; what is new is loaded. Writers should ` +
        "rename a file into the inbox when it is complete",
    );
  }
}
