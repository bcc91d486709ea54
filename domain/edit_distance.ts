/**
 * How many characters must be inserted, dropped or replaced to make one name of the other
 * (Levenshtein, 1965). Meant for names: the time grows with the product of the lengths.
 *
 * @param a A name.
 * @param b Another.
 * @returns 0 for equal names.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(editDistance("event_tim", "event_time"), 1);
 * ```
 */
export function editDistance(a: string, b: string): number {
  const target = Array.from(b);
  let row = [0, ...target.map((_, index) => index + 1)];
  for (const character of a) {
    const next = [row[0]! + 1];
    for (const [index, other] of target.entries()) {
      const replaced = row[index]! + (character === other ? 0 : 1);
      next.push(Math.min(replaced, row[index + 1]! + 1, next[index]! + 1));
    }
    row = next;
  }
  return row[target.length]!;
}
