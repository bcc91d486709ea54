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
  /** It was neither taken nor let go, and has not failed. */
  isOpen: boolean;
  letGo?: LetGo;
}

/**
 * Begins to load a file while the server starts its workflow, in the process that is about to get it, and has nothing else
 * to do until then. What it does must not be seen before its turn has come. One file at a time, until that has ended: where
 * many come, there is other work.
 */
export class LoadAhead<Turn, Result> {
  #file: BegunFile<Turn, Result> | undefined;

  /**
   * Begins with a file, behind what is being sent. Whatever fails before it is taken is left to whoever loads it.
   *
   * @param workflowId Of the workflow that is being started.
   * @param input What that is started with.
   * @param load Does what can be done before its turn, waits for that, and does the rest; it takes all back when it is
   * told {@linkcode LetGo} instead, which `check` throws as soon as that is so.
   */
  begin(
    workflowId: string,
    input: IngestFileInput,
    load: (turn: Promise<Turn>, check: () => void) => Promise<Result>,
  ): void {
    if (this.#file !== undefined) return;
    const turn = Promise.withResolvers<Turn>();
    const check = () => {
      if (file.letGo !== undefined) throw file.letGo;
    };
    const result = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => load(turn.promise, check));
    const timer = setTimeout(() => this.letGo(workflowId), KEPT_MS);
    const file: BegunFile<Turn, Result> = { workflowId, input, turn, result, timer, isOpen: true };
    // Not every load comes as far as its turn.
    turn.promise.catch(() => {});
    result.catch(() => this.#close(file));
    this.#file = file;
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
    if (!this.#close(file)) return undefined;
    file.turn.resolve(turn);
    return file.result;
  }

  /** Lets go of the file of a workflow that does not load it here, unless it was taken. */
  letGo(workflowId: string): void {
    const file = this.#file;
    if (file?.workflowId !== workflowId || !this.#close(file)) return;
    file.letGo = new LetGo("Its workflow did not ask for it");
    file.turn.reject(file.letGo);
  }

  /**
   * Nobody can take it any more; there is room for another one when it has ended.
   *
   * @returns Whether somebody could until then.
   */
  #close(file: BegunFile<Turn, Result>): boolean {
    if (!file.isOpen) return false;
    file.isOpen = false;
    clearTimeout(file.timer);
    const makeRoom = () => this.#file = undefined;
    file.result.then(makeRoom, makeRoom);
    return true;
  }
}

function isSameFile(a: IngestFileInput, b: IngestFileInput): boolean {
  return a.identity.path === b.identity.path && isSameIdentity(a.identity, b.identity) &&
    a.feed === b.feed && a.discoveredAt === b.discoveredAt;
}
