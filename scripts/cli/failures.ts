/** The arguments cannot be used; the command ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What was asked for could not be done, for a reason that is told in full; exit code 1. */
export class TaskError extends Error {
  override readonly name = "TaskError";
}
