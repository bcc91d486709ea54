import { knownIdentities, type SeenEntry } from "../../activities/statements/known_identities.ts";
import {
  type UnfinishedFile,
  unfinishedFiles,
} from "../../activities/statements/unfinished_files.ts";
import { discoveredInput } from "../../domain/discovery.ts";
import { ingestWorkflowId } from "../../domain/workflow_ids.ts";
import { startIngestion } from "../services/start_ingestion.ts";
import type { WatchParts } from "../watch_inbox.ts";
import { ExpiredFiles } from "./_expired_files.ts";
import { GrownFiles } from "./_grown_files.ts";
import { inBatches } from "./_in_batches.ts";
import { isTemporalAway } from "./_is_temporal_away.ts";
import { Leftovers } from "./_leftovers.ts";
import { Manifests } from "./_manifests.ts";
import { lookAtEntries } from "./_look_at_entries.ts";
import type { Outages } from "./_outages.ts";
import { refuseEntry } from "./_refuse_entry.ts";
import type { SettleTimer } from "./_settle_timer.ts";
import type { StartQueue } from "./_start_queue.ts";
import { Troubles } from "./_troubles.ts";

/** The workflow of an unfinished file is started again after this time: a running one is not disturbed by it. */
const START_AGAIN_AFTER_MS = 30_000;
/** Starts at a time. */
const STARTS_AT_ONCE = 16;

/** What a listing works with. */
type RelistParts = WatchParts & {
  outages: Outages;
  settling: SettleTimer;
  queue: StartQueue;
  /** Ends a listing early. */
  signal: AbortSignal;
};

/** Compares directory and ledger: whatever the events missed is found here. */
export class Relist {
  readonly #parts: RelistParts;
  readonly #leftovers: Leftovers;
  readonly #grown: GrownFiles;
  readonly #manifests: Manifests;
  readonly #expired: ExpiredFiles;
  readonly #refusedStarts: Troubles;
  readonly #failedLooks: Troubles;
  /** Unfinished files whose workflow was found complete; seen twice it is started again nevertheless. */
  readonly #complete = new Set<string>();
  /** Names that could not be looked at; a name that is only just gone is not listed a second time. */
  #unreadable = new Set<string>();

  constructor(parts: RelistParts) {
    this.#parts = parts;
    this.#leftovers = new Leftovers(parts);
    this.#grown = new GrownFiles(parts);
    this.#manifests = new Manifests(parts);
    this.#expired = new ExpiredFiles(parts);
    this.#refusedStarts = new Troubles(parts.log, "start the workflow of");
    this.#failedLooks = new Troubles(parts.log, "look at");
  }

  /**
   * One look at everything.
   *
   * @throws What is away says so through `outages`; the next listing finds what this one did not come to.
   */
  async run(): Promise<void> {
    const { queue, inbox, outages, signal } = this.#parts;
    await this.#startUnfinished();
    await queue.refresh();
    const names = await outages.during(
      `inbox ${inbox}`,
      async () => (await Array.fromAsync(Deno.readDir(inbox))).map(({ name }) => name),
    );
    await this.#leftovers.look(names);
    await this.#manifests.look(names);
    await this.#findNew(names);
    signal.throwIfAborted();
    await this.#grown.look();
    await this.#expired.look();
  }

  /** Whatever the ledger has begun is brought to its end, outside the bound on new files. */
  async #startUnfinished(): Promise<void> {
    const { sql, inboxId, outages, queue } = this.#parts;
    const files = await outages.during("PostgreSQL", () => unfinishedFiles(sql, inboxId));
    const due = files.filter(({ workflowId }) => queue.age(workflowId) > START_AGAIN_AFTER_MS);
    const refused = new Map<string, unknown>();
    await inBatches(due, async (file) => {
      // A refusal is an answer: the server is there, and takes the others.
      const answer = await outages.during(
        "Temporal",
        () =>
          this.#start(file).catch((error: unknown) => {
            if (isTemporalAway(error)) throw error;
            return { error };
          }),
      );
      if ("error" in answer) refused.set(`file ${file.fileId}`, answer.error);
      else if (answer.started) queue.occupy(file.workflowId);
      else this.#complete.add(file.workflowId);
    }, STARTS_AT_ONCE);
    this.#refusedStarts.tell(refused);
  }

  async #start(file: UnfinishedFile): Promise<{ started: boolean }> {
    const { inboxId, client, settings, eager, workflowTaskTimeoutMs } = this.#parts;
    const { workflowId } = file;
    const isOperation = !workflowId.startsWith("ingest/");
    const discovered = discoveredInput({
      ...file,
      inboxId,
      settings,
      discoveredAt: file.discoveredAt.getTime(),
    });
    return await startIngestion(client, {
      input: {
        ...discovered,
        closedAt: file.closedAt?.toISOString() ?? null,
        fileId: file.fileId,
      },
      workflowId,
      // Its run may have ended since the ledger was read; at the second sight it has not done its work.
      again: isOperation || this.#complete.delete(workflowId),
      eager,
      workflowTaskTimeoutMs,
    });
  }

  async #findNew(names: readonly string[]): Promise<void> {
    const { inbox, sql, inboxId, outages, settling, queue, signal } = this.#parts;
    const unreadableBefore = this.#unreadable;
    this.#unreadable = new Set();
    const isPending = (path: string) => settling.has(path) || queue.has(path);
    const failedLooks = new Map<string, unknown>();
    for await (const { entries, unreadable, failed } of lookAtEntries(inbox, names, isPending)) {
      signal.throwIfAborted();
      for (const [path, error] of failed) failedLooks.set(path, error);
      const known = await outages.during(
        "PostgreSQL",
        () => knownIdentities(sql, inboxId, entries),
      );
      for (const [i, entry] of entries.entries()) {
        if (!known[i]) await this.#take(entry);
      }
      for (const path of unreadable) {
        this.#unreadable.add(path);
        if (unreadableBefore.has(path)) {
          await this.#refuse(unreadableEntry(path), "unreadable_name");
        }
      }
    }
    this.#failedLooks.tell(failedLooks);
  }

  async #take(entry: SeenEntry): Promise<void> {
    const { inboxId, settling, queue } = this.#parts;
    const { identity, isFile } = entry;
    if (!isFile) return await this.#refuse(entry, "refused");
    // An event may have been faster than the listing.
    const isStarted = queue.hasInFlight(ingestWorkflowId(inboxId, identity));
    if (!isStarted && !queue.has(identity.path)) settling.see(identity);
  }

  #refuse(entry: SeenEntry, code: "refused" | "unreadable_name"): Promise<void> {
    return this.#parts.outages.during("PostgreSQL", () => refuseEntry(this.#parts, entry, code));
  }
}

/** There is nothing to be seen of it but its name. */
function unreadableEntry(path: string): SeenEntry {
  return { identity: { path, ino: 0, sizeBytes: 0, mtimeMs: 0, ctimeMs: 0 }, isFile: false };
}
