import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineUpdate,
  isCancellation,
  setHandler,
} from "@temporalio/workflow";

/** Stops loading at the next chunk border, until `resume`; what is committed stays. */
export const pauseUpdate = defineUpdate<void>("pause");

/** Goes on with what `pause` has stopped. */
export const resumeUpdate = defineUpdate<void>("resume");

/** Stops loading at the next chunk border, and takes out what was loaded. */
export const cancelUpdate = defineUpdate<void>("cancel");

/** What a person may do to a file at this moment, and why not. */
export interface ControlRules {
  /** Null: it may be paused, or cancelled. */
  readonly refusal: () => string | null;
  /** Is called when a pause has taken effect, and when it has ended. */
  readonly onPaused: (paused: boolean) => Promise<void>;
}

/** A person's hand on one file: steps run under it end at a pause, and begin again at its end. */
export class FileControl {
  #paused = false;
  #cancelled = false;
  #step: CancellationScope | undefined;
  readonly #work = new CancellationScope();
  readonly #rules: ControlRules;

  /** Takes the updates of this workflow. Their validators are synchronous: the SDK does not wait for others. */
  constructor(rules: ControlRules) {
    this.#rules = rules;
    setHandler(pauseUpdate, () => {
      this.#paused = true;
      this.#step?.cancel();
    }, {
      validator: () => {
        if (this.#paused) refuse("pause", "it is paused already");
        this.#refuseWhere("pause");
      },
    });
    setHandler(resumeUpdate, () => void (this.#paused = false), {
      validator: () => {
        if (!this.#paused) refuse("resume", "it is not paused");
      },
    });
    setHandler(cancelUpdate, () => {
      this.#cancelled = true;
      this.#work.cancel();
    }, {
      validator: () => this.#refuseWhere("cancel"),
    });
  }

  /** Runs all of the work: a cancellation by update ends it as one by the server does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#work.run(work);
  }

  /** Whether the file was cancelled by update. */
  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Runs a step that may be repeated; a pause cancels it, and the end of the pause begins it again. */
  async pausable<T>(step: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#paused) await this.#wait();
      const scope = this.#step = new CancellationScope();
      try {
        const result = await scope.run(step);
        // The pause came with the end of the step: it holds before the next.
        if (this.#paused) await this.#wait();
        return result;
      } catch (failure) {
        // Not whether it is paused now: it may have been resumed before its step came to a border.
        const isPause = scope.consideredCancelled && isCancellation(failure) &&
          !CancellationScope.current().consideredCancelled;
        if (!isPause) throw failure;
      } finally {
        this.#step = undefined;
      }
    }
  }

  async #wait(): Promise<void> {
    await this.#rules.onPaused(true);
    await condition(() => !this.#paused);
    await this.#rules.onPaused(false);
  }

  #refuseWhere(operation: string): void {
    const why = this.#rules.refusal();
    if (why !== null) refuse(operation, why);
  }
}

function refuse(operation: string, state: string): never {
  throw ApplicationFailure.create({
    type: "NotNow",
    message: `Cannot ${operation} the file: ${state}`,
    nonRetryable: true,
  });
}
