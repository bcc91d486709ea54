import { readIdentity } from "../../activities/file_identity.ts";
import type { FileIdentity } from "../../domain/ingest_api.ts";
import { QuietFiles } from "../../domain/quiet_files.ts";
import { inBatches } from "./_in_batches.ts";

/** A writer sends thousands of events a second: its file is looked at this much later, once for all of them. */
const LOOK_AFTER_MS = 20;

/** Looks at files until they are quiet. */
export class SettleTimer {
  readonly #files: QuietFiles;
  readonly #onQuiet: (identity: FileIdentity) => void;
  readonly #touched = new Set<string>();
  #lookTimer: ReturnType<typeof setTimeout> | undefined;
  #dueTimer: ReturnType<typeof setTimeout> | undefined;
  #looking: Promise<void> = Promise.resolve();
  #pending = 0;
  #stopped = false;

  /**
   * @param options.settleMs How long a file must be left alone.
   * @param options.onQuiet Is told a regular file that was.
   */
  constructor({ settleMs, onQuiet }: {
    settleMs: number;
    onQuiet: (identity: FileIdentity) => void;
  }) {
    this.#files = new QuietFiles(settleMs);
    this.#onQuiet = onQuiet;
  }

  /** Number of files that are waited for. */
  get size(): number {
    return this.#files.size;
  }

  /** Whether a path is waited for. */
  has(path: string): boolean {
    return this.#files.has(path);
  }

  /** An event named the path. */
  touch(path: string): void {
    this.#files.touch(path, performance.now());
    this.#touched.add(path);
    this.#lookTimer ??= setTimeout(() => {
      this.#lookTimer = undefined;
      const paths = [...this.#touched];
      this.#touched.clear();
      this.#look(paths);
    }, LOOK_AFTER_MS);
  }

  /** Somebody looked at the file. */
  see(identity: FileIdentity): void {
    if (this.#files.see(identity, performance.now()) === "quiet") this.#onQuiet(identity);
    this.#arm();
  }

  /** Somebody else takes care of the file. */
  forget(path: string): void {
    this.#files.forget(path);
  }

  /** Stops looking; what was waited for is found again by the next listing. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#lookTimer);
    clearTimeout(this.#dueTimer);
    await this.#looking;
  }

  /** One look after the other, so that no path is looked at twice at a time. */
  #look(paths: readonly string[]): void {
    this.#pending++;
    this.#looking = this.#looking.then(async () => {
      await inBatches(paths, (path) => this.#lookAt(path));
      this.#pending--;
      this.#arm();
    });
  }

  async #lookAt(path: string): Promise<void> {
    const found = this.#stopped ? null : await readIdentity(path).catch(() => null);
    if (this.#stopped) return;
    // What is no regular file, or cannot be looked at, is reported by the next listing.
    if (found?.isFile) this.see(found.identity);
    else this.#files.forget(path);
  }

  #arm(): void {
    if (this.#stopped || this.#pending > 0 || this.#dueTimer !== undefined) return;
    const due = this.#files.nextDue();
    if (due === undefined) return;
    this.#dueTimer = setTimeout(() => {
      this.#dueTimer = undefined;
      this.#look(this.#files.due(performance.now()));
    }, Math.max(1, due - performance.now()));
  }
}
