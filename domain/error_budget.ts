/** How many rejects a feed allows a file; without either bound, any number. */
export interface ErrorBudget {
  /** Most rejects. */
  maxRejects?: number;
  /** Largest share of the file's records, from 0 to 1. */
  maxRejectShare?: number;
}

/**
 * Most rejects that a file may have: the stricter of the two bounds. Rejects whose fault does not count for the error
 * budget are not to be counted.
 *
 * @param budget What the feed allows.
 * @param records Records of the file.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(allowedRejects({ maxRejects: 3, maxRejectShare: 0.25 }, 10), 2);
 * assert.equal(allowedRejects({}, 10), Infinity);
 * ```
 */
export function allowedRejects(
  { maxRejects = Infinity, maxRejectShare }: ErrorBudget,
  records: number,
): number {
  const share = maxRejectShare === undefined ? Infinity : Math.floor(maxRejectShare * records);
  return Math.min(maxRejects, share);
}
