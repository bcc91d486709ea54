import { type Fault, FAULT_CODES, type FileFault } from "./faults.ts";

/**
 * Says why a record was rejected.
 *
 * @param fault The fault.
 * @param line The record's line, where the reader does not see it anyway.
 * @returns One line without full stop.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const expected = "a number with at most 2 decimals, after a point";
 * assert.equal(
 *   renderFault({ code: "invalid_number", column: "price", expected }, 7),
 *   "Line 7, column price: expected a number with at most 2 decimals, after a point",
 * );
 * assert.equal(
 *   renderFault({ code: "nul_byte" }, 7),
 *   "Line 7: the record contains a NUL byte",
 * );
 * ```
 */
export function renderFault({ code, column, expected }: Fault, line?: number): string {
  const where: string[] = [];
  if (line !== undefined) where.push(`line ${line}`);
  if (column !== undefined) where.push(`column ${column}`);
  const what = expected === undefined ? FAULT_CODES[code].message : `expected ${expected}`;
  const text = where.length === 0 ? what : `${where.join(", ")}: ${what}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * Says why a file was not loaded, and what to do about it.
 *
 * @param fault The fault.
 * @param path The file, where the reader does not see it anyway.
 * @returns A few sentences.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(
 *   renderFileFault({ code: "missing_column", columns: ["price"] }),
 *   "Cannot load file: its header lacks required columns (price). " +
 *     "Correct the header, or add an alias to domain/shop_events.ts.",
 * );
 * ```
 */
export function renderFileFault(
  { code, columns = [], seen = [], misspelt = [] }: FileFault,
  path = "file",
): string {
  const { message, advice } = FAULT_CODES[code];
  const names = columns.length === 0
    ? ""
    : code === "header_not_recognised"
    ? ` (missing: ${columns.join(", ")})`
    : ` (${columns.join(", ")})`;
  const found = seen.length === 0 ? "" : ` Found: ${seen.join(", ")}.`;
  const guess = misspelt.length === 0
    ? ""
    : ` Did you mean ${misspelt.map(({ column, by }) => `${column} by ${by}`).join(", ")}?`;
  return `Cannot load ${path}: ${message}${names}.${found}${guess} ${advice}`;
}
