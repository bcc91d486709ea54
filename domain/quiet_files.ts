import type { FileIdentity } from "./ingest_api.ts";

/**
 * Decides when a file that was not renamed into place may be read: a writer that appends closes its file each time, so
 * only quiet counts. A file is quiet when no event named it and its identity (size, mtime, ctime) has not changed for
 * the settle time, by the watcher's own clock: the file's times may lie anywhere.
 *
 * Times are milliseconds of one clock that never goes back.
 *
 * @example
 * ```ts
 * import { QuietFiles } from "./quiet_files.ts";
 * import assert from "node:assert/strict";
 * const files = new QuietFiles(1_000);
 * const identity = { path: "/in/a.csv", ino: 1, sizeBytes: 2, mtimeMs: 3, ctimeMs: 3 };
 * assert.equal(files.see(identity, 0), "waiting");
 * assert.equal(files.see({ ...identity, sizeBytes: 5 }, 900), "waiting");
 * assert.deepEqual(files.due(1_900), ["/in/a.csv"]);
 * assert.equal(files.see({ ...identity, sizeBytes: 5 }, 1_900), "quiet");
 * ```
 */
export class QuietFiles {
  /** By path, the longest unchanged first: whatever changes is put at the end again. */
  readonly #files = new Map<string, { identity: FileIdentity | null; since: number }>();
  readonly #settleMs: number;

  /** @param settleMs How long a file must be left alone. */
  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  /** Number of files that are waited for. */
  get size(): number {
    return this.#files.size;
  }

  /** Whether a path is waited for. */
  has(path: string): boolean {
    return this.#files.has(path);
  }

  /** An event named the path: whatever it was, the wait begins anew. */
  touch(path: string, now: number): void {
    this.#restart(path, this.#files.get(path)?.identity ?? null, now);
  }

  /**
   * Somebody looked at the file.
   *
   * @param identity What was found.
   * @returns `quiet`: it may be read, and is forgotten here; `waiting`: look again when it is due.
   */
  see(identity: FileIdentity, now: number): "quiet" | "waiting" {
    const { path } = identity;
    const known = this.#files.get(path);
    if (!known?.identity || !isSameIdentity(known.identity, identity)) {
      this.#restart(path, identity, now);
      return "waiting";
    }
    if (now - known.since < this.#settleMs) return "waiting";
    this.#files.delete(path);
    return "quiet";
  }

  /** The file is gone, or somebody else takes care of it. */
  forget(path: string): void {
    this.#files.delete(path);
  }

  /** Paths at which to look again now. */
  due(now: number): string[] {
    const paths: string[] = [];
    for (const [path, { since }] of this.#files) {
      if (now - since < this.#settleMs) break;
      paths.push(path);
    }
    return paths;
  }

  /** When the next path is due; undefined while nothing is waited for. */
  nextDue(): number | undefined {
    for (const { since } of this.#files.values()) return since + this.#settleMs;
    return undefined;
  }

  #restart(path: string, identity: FileIdentity | null, since: number): void {
    this.#files.delete(path);
    this.#files.set(path, { identity, since });
  }
}

/** Whether two sightings of a path show a file that nobody has touched in between. */
export function isSameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.ino === b.ino && a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs &&
    a.ctimeMs === b.ctimeMs;
}
