import type { IngestFileInput } from "../domain/ingest_api.ts";
import { isSameIdentity } from "../domain/quiet_files.ts";

/** A file that was not taken by then is loaded by another process, or not at all. */
const KEPT_MS = 1_000;

/**
 * Reads a file while the server starts its workflow, in the process that is about to get it, and has nothing else to do until
 * then. One file at a time: where many come, there is other work.
 */
export class ReadAhead<Read> {
  #file: { input: IngestFileInput; whole: Promise<Read | undefined>; begunAt: number } | undefined;

  /** Begins with a file, behind what is being sent. Whatever fails is left to whoever loads it, and says why. */
  begin(input: IngestFileInput, read: () => Promise<Read>): void {
    const begunAt = performance.now();
    if (this.#file !== undefined && begunAt - this.#file.begunAt < KEPT_MS) return;
    const whole = new Promise<void>((resolve) => setImmediate(resolve))
      .then(read)
      .catch(() => undefined);
    this.#file = { input, whole, begunAt };
  }

  /** Hands a file over, once; undefined when it is not the one that was begun with, or could not be read. */
  async take(input: IngestFileInput): Promise<Read | undefined> {
    const file = this.#file;
    if (file === undefined || !isSameFile(file.input, input)) return undefined;
    this.#file = undefined;
    return await file.whole;
  }
}

function isSameFile(a: IngestFileInput, b: IngestFileInput): boolean {
  return a.identity.path === b.identity.path && isSameIdentity(a.identity, b.identity) &&
    a.feed === b.feed && a.discoveredAt === b.discoveredAt;
}
