import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import { readIdentitySync } from "../../activities/file_identity.ts";
import type { FileIdentity } from "../../domain/ingest_api.ts";
import { isSameIdentity } from "../../domain/quiet_files.ts";
import { ingestWorkflowId } from "../../domain/workflow_ids.ts";
import type { Outages } from "./_outages.ts";

/** Requests to the server at a time; more would only wait there. */
const MAX_STARTS_AT_ONCE = 16;
/** While files wait for their turn, this often the ledger is asked whether others have made room. */
const ROOM_POLL_MS = 100;
/** Time between two tries while Temporal or PostgreSQL is away. */
const RETRY_MS = 1_000;
/** A workflow that has no row after this long may have ended without one: the server is asked. */
const ASK_SERVER_AFTER_MS = 30_000;
/** A server that does not answer within this time counts as away. */
const DESCRIBE_DEADLINE_MS = 5_000;

/** A file whose turn comes when there is room. */
interface WaitingFile {
  /** The version that was quiet; null when it was renamed into place, and any version is ready. */
  quiet: FileIdentity | null;
  /** Epoch milliseconds. */
  readyAt: number;
}

/** What the queue asks of others. */
export interface StartQueueParts {
  inboxId: string;
  client: Client;
  /** New files in flight at most. */
  bound: number;
  outages: Outages;
  /** Starts the workflow of a file. */
  start: (identity: FileIdentity, readyAt: number) => Promise<void>;
  /** Is told of a file that has changed while it waited. */
  onChanged: (identity: FileIdentity) => void;
  /** Which of some workflows have a row in the ledger, and whether it is settled. */
  settledByWorkflow: (workflowIds: string[]) => Promise<Map<string, boolean>>;
}

/** Starts ready files in order, with a bound on how many are in flight. */
export class StartQueue {
  readonly #parts: StartQueueParts;
  readonly #waiting = new Map<string, WaitingFile>();
  /** By workflow id, when it was last started, by the monotonic clock. */
  readonly #inFlight = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #refreshing: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #started = 0;
  #stopped = false;

  constructor(parts: StartQueueParts) {
    this.#parts = parts;
  }

  /** Counts, for people. */
  get counts(): { waiting: number; inFlight: number; started: number } {
    return { waiting: this.#waiting.size, inFlight: this.#inFlight.size, started: this.#started };
  }

  /** Whether a path waits for its turn. */
  has(path: string): boolean {
    return this.#waiting.has(path);
  }

  /** Whether a workflow was started from here and is not known to have ended. */
  hasInFlight(workflowId: string): boolean {
    return this.#inFlight.has(workflowId);
  }

  /** How long ago a workflow in flight was started from here, milliseconds; infinite if it was not. */
  age(workflowId: string): number {
    return performance.now() - (this.#inFlight.get(workflowId) ?? -Infinity);
  }

  /** Takes a file that is ready. */
  add(path: string, quiet: FileIdentity | null): void {
    this.#waiting.set(path, { quiet, readyAt: Date.now() });
    this.#pump();
  }

  /** Counts a workflow that was started beside the queue. */
  occupy(workflowId: string): void {
    this.#inFlight.set(workflowId, performance.now());
  }

  /** Makes room: forgets the workflows whose files are settled, and those that ended without a row. */
  async refresh(): Promise<void> {
    const ids = [...this.#inFlight.keys()];
    const settled = await this.#parts.outages.during(
      "PostgreSQL",
      () => this.#parts.settledByWorkflow(ids),
    );
    for (const id of ids) if (settled.get(id)) this.#inFlight.delete(id);
    for (const id of ids) {
      if (settled.has(id) || this.age(id) < ASK_SERVER_AFTER_MS) continue;
      if (await this.#isRunning(id)) this.occupy(id);
      else this.#inFlight.delete(id);
    }
    this.#pump();
  }

  /** Starts nothing more, and waits for what is being started. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await Promise.allSettled([...this.#running, this.#refreshing]);
  }

  #pump(): void {
    if (this.#stopped || this.#timer !== undefined) return;
    for (const [path, file] of this.#waiting) {
      if (this.#running.size >= MAX_STARTS_AT_ONCE) return;
      if (this.#inFlight.size >= this.#parts.bound) {
        this.#pumpAfter(ROOM_POLL_MS);
        return;
      }
      this.#waiting.delete(path);
      const running = this.#begin(path, file).finally(() => {
        this.#running.delete(running);
        this.#pump();
      });
      this.#running.add(running);
    }
  }

  /** Looks for room after a while; until then nothing is started. */
  #pumpAfter(ms: number): void {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => {
      this.#refreshing = this.refresh().then(() => this.#resume(), () => {
        // Said by `outages`.
        this.#resume();
      });
    }, ms);
  }

  #resume(): void {
    this.#timer = undefined;
    this.#pump();
  }

  async #begin(path: string, file: WaitingFile): Promise<void> {
    const found = tryReadIdentity(path);
    if (!found?.isFile) return;
    const { identity } = found;
    if (file.quiet !== null && !isSameIdentity(file.quiet, identity)) {
      this.#parts.onChanged(identity);
      return;
    }
    const workflowId = ingestWorkflowId(this.#parts.inboxId, identity);
    // One rename may be told by two events.
    if (this.#inFlight.has(workflowId)) return;
    this.occupy(workflowId);
    try {
      await this.#parts.outages.during(
        "Temporal",
        () => this.#parts.start(identity, file.readyAt),
      );
      this.#started++;
    } catch {
      // Said by `outages`. Behind the others, so that a file that alone is refused does not stop them.
      this.#inFlight.delete(workflowId);
      this.#waiting.set(path, file);
      this.#pumpAfter(RETRY_MS);
    }
  }

  async #isRunning(workflowId: string): Promise<boolean> {
    const { client, outages } = this.#parts;
    return await outages.during("Temporal", async () => {
      try {
        const { status } = await client.connection.withDeadline(
          Date.now() + DESCRIBE_DEADLINE_MS,
          () => client.workflow.getHandle(workflowId).describe(),
        );
        return status.name === "RUNNING";
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    });
  }
}

/** At once, so that a file counts as in flight before the next one is looked at. */
function tryReadIdentity(path: string): ReturnType<typeof readIdentitySync> {
  try {
    return readIdentitySync(path);
  } catch {
    return null;
  }
}
