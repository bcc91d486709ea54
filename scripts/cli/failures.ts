/** The arguments cannot be used; the command ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What was asked for could not be done, for a reason that is told in full; exit code 1. */
export class TaskError extends Error {
  override readonly name = "TaskError";
}

/** A person stopped the command before it was done; exit code 130, as shells have it. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";

  constructor() {
    super("Stopped before it was done");
  }
}
