import type { z } from "zod";
import type { Contract } from "./contract.ts";
import type { Fault, RecordFaultCode } from "./faults.ts";

/** A record's canonical values in the order of the contract's columns, or all its faults. */
export type RecordOutcome =
  | { ok: true; values: (string | null)[] }
  | { ok: false; faults: Fault[] };

/**
 * Checks one record against its contract by the zod schema.
 *
 * @param contract The contract.
 * @param cells The cells as text, in the order of the contract's columns; "" for absent ones.
 * @param discoveredAt When the file was discovered, in epoch milliseconds.
 * @returns Canonical values, or every fault, at most one a column and rule.
 *
 * @example A record without a price
 * ```ts
 * import assert from "node:assert/strict";
 * import { SHOP_EVENTS } from "./shop_events.ts";
 *
 * const cells = SHOP_EVENTS.columns.map(({ name }) => name === "quantity" ? "x" : "");
 * const outcome = validateRecord(SHOP_EVENTS, cells, Date.UTC(2026, 0, 31));
 * assert.ok(!outcome.ok);
 * assert.deepEqual(outcome.faults[0], {
 *   code: "missing_value",
 *   column: "event_id",
 *   expected: "a value",
 * });
 * ```
 */
export function validateRecord(
  contract: Contract,
  cells: readonly string[],
  discoveredAt: number,
): RecordOutcome {
  const record: Record<string, unknown> = { discovered_at: discoveredAt };
  contract.columns.forEach(({ name }, index) => record[name] = cells[index]);
  const result = contract.schema.safeParse(record);
  if (!result.success) return { ok: false, faults: toFaults(result.error.issues) };
  return {
    ok: true,
    values: contract.columns.map(({ name }) => result.data[name] as string | null),
  };
}

/** The first fault of each column's own checks, then those of the record's rules. */
function toFaults(issues: readonly z.core.$ZodIssue[]): Fault[] {
  const faults: Fault[] = [];
  for (const issue of issues) {
    const column = String(issue.path[0]);
    const { code } = (issue as z.core.$ZodIssueCustom).params as { code: RecordFaultCode };
    if (faults.some((fault) => fault.column === column)) continue;
    faults.push({ code, column, expected: issue.message });
  }
  return faults;
}
