import type { Client } from "@temporalio/client";
import { join } from "node:path";
import type { Sql } from "../activities/database.ts";
import { knownIdentities } from "../activities/statements/known_identities.ts";
import { settledByWorkflow } from "../activities/statements/unfinished_files.ts";
import type { Contract } from "../domain/contract.ts";
import { discoveredInput, type Sign } from "../domain/discovery.ts";
import type { FileIdentity, IngestFileInput, IngestSettings } from "../domain/ingest_api.ts";
import { isAcceptedName } from "../domain/ledger.ts";
import type { Logger } from "./log.ts";
import { startIngestion } from "./services/start_ingestion.ts";
import { followEvents } from "./watch/_follow_events.ts";
import { Outages } from "./watch/_outages.ts";
import { Relist } from "./watch/_relist.ts";
import { SettleTimer } from "./watch/_settle_timer.ts";
import { StartQueue } from "./watch/_start_queue.ts";

/** A listing never takes more than a fifth of the time, however many files lie in the inbox. */
const REST_PER_LISTING = 4;
/** Time to the next listing when the one before failed. */
const RETRY_MS = 1_000;

/** What a watcher works with. */
export interface WatchParts {
  /** Directory in which files land; absolute. */
  inbox: string;
  inboxId: string;
  /** Where settled files go; absolute. */
  directories: { archive: string; failed: string };
  /** Of the files that land here. */
  contract: Contract;
  /** Pool of the ingest role. */
  sql: Sql;
  client: Client;
  /** What is handed to each workflow. */
  settings: IngestSettings;
  /** A file written in place is ready once it has not changed for this long. */
  settleMs: number;
  /** Archived bytes of loaded files are removed so long after they were settled; undefined: never. */
  deleteAfterMs?: number;
  /** Time between two listings of inbox and ledger. */
  relistMs: number;
  /** Bound on new files in flight. */
  maxFilesInFlight: number;
  /** Hands first tasks to a worker of this process; the client must share its native connection. */
  eager: boolean;
  workflowTaskTimeoutMs: number;
  /**
   * Is told of a new file before its workflow is started, unless the start before did not succeed or may run in another
   * process: then the next one is likely not to run here either, and what is begun would be done twice.
   *
   * @returns Is called when that did not start, or may run in another process.
   */
  onStarting?: (input: IngestFileInput) => () => void;
  log: Logger;
}

/** Counts of a watcher, for people and tests. */
export interface WatchStats {
  /** Files that are not quiet yet. */
  settling: number;
  /** Files that are ready and wait for room. */
  waiting: number;
  inFlight: number;
  /** New files whose workflow was started since the watch began. */
  started: number;
  /** Listings that came to their end. */
  listings: number;
}

/** A watch that goes on until it is stopped. */
export interface InboxWatch {
  /** Starts nothing more, and waits for what is being started; safe to call twice. */
  stop(): Promise<void>;
  /** Resolves when it has stopped. */
  readonly finished: Promise<void>;
  stats(): WatchStats;
  /** Lists inbox and ledger now; resolves when that is done, or something it needs is away. */
  relist(): Promise<void>;
}

/**
 * Watches an inbox and starts one workflow per file. Events are hints: a file renamed into place is started at once, all
 * others are left to settle. The guarantee is the listing of inbox and ledger, at the start, every `relistMs`, and when
 * events were lost. Whatever is away is waited for.
 *
 * @param parts What it works with.
 */
export function watchInbox(parts: WatchParts): InboxWatch {
  const { inbox, inboxId, sql, client, log } = parts;
  const stopping = new AbortController();
  const outages = new Outages(log);
  const lastStart = { runsHere: true };
  const settling = new SettleTimer({
    settleMs: parts.settleMs,
    onQuiet: (identity) => queue.add(identity.path, identity),
  });
  const queue = new StartQueue({
    inboxId,
    client,
    outages,
    bound: parts.maxFilesInFlight,
    start: (identity, readyAt) => startNew(parts, lastStart, { identity, readyAt }),
    onChanged: (identity) => settling.see(identity),
    settledByWorkflow: (workflowIds) => settledByWorkflow(sql, workflowIds),
  });
  const listing = new Relist({ ...parts, outages, settling, queue, signal: stopping.signal });

  function onSign(sign: Sign): void {
    if (sign.sign === "rescan") void relist();
    if (!("name" in sign) || !isAcceptedName(sign.name)) return;
    const path = join(inbox, sign.name);
    if (sign.sign === "touched") return settling.touch(path);
    settling.forget(path);
    queue.add(path, null);
  }

  let listings = 0;
  let current: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** One listing at a time; who asks during one gets the next, which sees what happened in between. */
  function relist(): Promise<void> {
    if (stopping.signal.aborted) return Promise.resolve();
    if (current) return next ??= current.then(() => relist());
    next = undefined;
    clearTimeout(timer);
    return current = list().finally(() => current = undefined);
  }

  async function list(): Promise<void> {
    const startedAt = performance.now();
    let delay = RETRY_MS;
    try {
      await listing.run();
      listings++;
      delay = Math.max(parts.relistMs, REST_PER_LISTING * (performance.now() - startedAt));
    } catch (error) {
      // What is away was said by `outages`; nobody would see the rest.
      log.debug({ reason: error instanceof Error ? error.name : "unknown" }, "Listing ended early");
    }
    if (!stopping.signal.aborted) timer = setTimeout(relist, delay);
  }

  async function stop(): Promise<void> {
    stopping.abort();
    clearTimeout(timer);
    await Promise.all([following, settling.stop(), queue.stop(), current]);
  }

  const following = followEvents(inbox, {
    onSign,
    onWatching: relist,
    outages,
    signal: stopping.signal,
  });
  // Where nothing can be watched, listings do it all.
  if (current === undefined) void relist();
  const finished = Promise.withResolvers<void>();
  let stopped: Promise<void> | undefined;
  return {
    stop: () => stopped ??= stop().finally(finished.resolve),
    finished: finished.promise,
    stats: () => ({ settling: settling.size, ...queue.counts, listings }),
    relist,
  };
}

/**
 * Starts the workflow of a new version. If one of the same id is complete the ledger decides: a database that does not
 * know the file, because it was made anew, gets it loaded.
 *
 * @param lastStart What became of the start before; gets what becomes of this one.
 */
async function startNew(
  { contract, inboxId, settings, client, sql, eager, workflowTaskTimeoutMs, onStarting, log }:
    WatchParts,
  lastStart: { runsHere: boolean },
  { identity, readyAt }: { identity: FileIdentity; readyAt: number },
): Promise<void> {
  const input = discoveredInput({
    feed: contract.feed,
    inboxId,
    identity,
    discoveredAt: readyAt,
    settings,
  });
  const letGo = lastStart.runsHere ? onStarting?.(input) : undefined;
  let runsHere = false;
  try {
    const { workflowId, started, startedEagerly } = await startIngestion(client, {
      input,
      eager,
      workflowTaskTimeoutMs,
    });
    log.debug({ workflowId, started }, "Discovered a file");
    runsHere = startedEagerly;
    if (started) return;
  } finally {
    lastStart.runsHere = runsHere;
    if (!runsHere) letGo?.();
  }
  const [isKnown] = await knownIdentities(sql, inboxId, [{ identity, isFile: true }]);
  if (isKnown) return;
  await startIngestion(client, { input, again: true, eager, workflowTaskTimeoutMs });
}
