/**
 * The last part of a path with forward slashes.
 *
 * @param path The path of a file.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(fileNameOf("/inbox/a.csv"), "a.csv");
 * assert.equal(fileNameOf("a.csv"), "a.csv");
 * ```
 */
export function fileNameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
