import { IN_FAILED_TRANSACTION, sendsRowsAhead, type Sql, sqlstateOf } from "../database.ts";

/**
 * Waits for statements of one transaction that are sent without waiting for each other's answers. When one fails, that is
 * told only once all have ended: a statement sent behind the rollback would stand by itself.
 *
 * @param work Each sends its first statement at once, in this order.
 * @returns What each gave.
 * @throws What failed first; not what failed only because the transaction was aborted by then.
 */
export async function inOneGo<const Work extends readonly (Promise<unknown> | undefined)[]>(
  work: Work,
): Promise<{ -readonly [Index in keyof Work]: Awaited<Work[Index]> }> {
  const ends = await Promise.allSettled(work);
  const failures = ends.flatMap((end) => end.status === "rejected" ? [end.reason as unknown] : []);
  if (failures.length > 0) {
    throw failures.find((reason) => sqlstateOf(reason) !== IN_FAILED_TRANSACTION) ?? failures[0];
  }
  return ends.map((end) => end.status === "fulfilled" ? end.value : undefined) as never;
}

/**
 * The same for steps of which some copy rows. Where these are not sent ahead, the driver can send nothing behind a COPY
 * until it has ended: then each step waits for the one before.
 *
 * @param sql The pool that the transaction is of.
 * @param steps Each sends its first statement at once, if it has any.
 * @returns What each gave.
 */
export async function copyInOneGo(
  sql: Sql,
  steps: readonly (() => Promise<unknown>)[],
): Promise<unknown[]> {
  if (sendsRowsAhead(sql)) return await inOneGo(steps.map(async (step) => await step()));
  const given: unknown[] = [];
  for (const step of steps) given.push(await step());
  return given;
}
