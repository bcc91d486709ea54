import type { IngestFileInput } from "../domain/ingest_api.ts";
import { isSameIdentity } from "../domain/quiet_files.ts";

/** A file that was not taken by then is loaded by another process, or not at all. */
const KEPT_MS = 1_000;

/** It is not loaded by what was begun with it. */
export class LetGo extends Error {
  override name = "LetGo";
}

interface BegunFile<Turn, Result> {
  workflowId: string;
  input: IngestFileInput;
  turn: PromiseWithResolvers<Turn>;
  result: Promise<Result>;
  timer: ReturnType<typeof setTimeout>;
}

/**
 * Begins to load a file while the server starts its workflow, in the process that is about to get it, and has nothing else
 * to do until then. What it does must not be seen before its turn has come. One file at a time: where many come, there is
 * other work.
 */
export class LoadAhead<Turn, Result> {
  #file: BegunFile<Turn, Result> | undefined;

  /**
   * Begins with a file, behind what is being sent. Whatever fails before it is taken is left to whoever loads it.
   *
   * @param workflowId Of the workflow that is being started.
   * @param input What that is started with.
   * @param load Does what can be done before its turn, waits for that, and does the rest; it takes all back when it is
   * told {@linkcode LetGo} instead.
   * @returns Lets go of the file, unless it was taken: for when it is not loaded here.
   */
  begin(
    workflowId: string,
    input: IngestFileInput,
    load: (turn: Promise<Turn>) => Promise<Result>,
  ): () => void {
    if (this.#file !== undefined) return () => {};
    const turn = Promise.withResolvers<Turn>();
    const letGo = () => {
      if (this.#remove(file)) turn.reject(new LetGo("Its workflow did not ask for it"));
    };
    const result = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => load(turn.promise));
    const file = { workflowId, input, turn, result, timer: setTimeout(letGo, KEPT_MS) };
    // Not every load comes as far as its turn.
    turn.promise.catch(() => {});
    result.catch(() => this.#remove(file));
    this.#file = file;
    return letGo;
  }

  /**
   * Hands a file over to its workflow, once, and lets it go on. An operation on it has a workflow of its own.
   *
   * @param turn What it is told.
   * @returns What becomes of it; undefined when it is not the one that was begun with, or that has failed.
   */
  take(workflowId: string, input: IngestFileInput, turn: Turn): Promise<Result> | undefined {
    const file = this.#file;
    if (file?.workflowId !== workflowId || !isSameFile(file.input, input)) return undefined;
    this.#remove(file);
    file.turn.resolve(turn);
    return file.result;
  }

  /** @returns Whether it had not been taken or removed before. */
  #remove(file: BegunFile<Turn, Result>): boolean {
    if (this.#file !== file) return false;
    clearTimeout(file.timer);
    this.#file = undefined;
    return true;
  }
}

function isSameFile(a: IngestFileInput, b: IngestFileInput): boolean {
  return a.identity.path === b.identity.path && isSameIdentity(a.identity, b.identity) &&
    a.feed === b.feed && a.discoveredAt === b.discoveredAt;
}
