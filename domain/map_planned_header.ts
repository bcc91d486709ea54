import type { Contract } from "./contract.ts";
import { mapHeader } from "./map_header.ts";

/**
 * Finds the contract's columns in the header of a file that was planned already. What was planned is read, also when the
 * feed's drift mode was changed since: to `fail`, or to `rescue` where two unknown columns have one name.
 *
 * @param contract The contract of its feed, as it is now.
 * @param header The header's fields.
 * @returns The mapping, or a fault when the header lacks a column of the contract.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { SHOP_EVENTS } from "./shop_events.ts";
 *
 * const header = [...SHOP_EVENTS.columns.map(({ name }) => name), "campaign"];
 * const result = mapPlannedHeader({ ...SHOP_EVENTS, drift: "fail" }, header);
 * assert.ok(result.ok);
 * assert.deepEqual(result.mapping.extras, [{ name: "campaign", position: 15 }]);
 * ```
 */
export function mapPlannedHeader(
  contract: Contract,
  header: readonly string[],
): ReturnType<typeof mapHeader> {
  const drift = contract.drift === "fail" ? "rescue" : contract.drift;
  const mapped = mapHeader({ ...contract, drift }, header);
  return mapped.ok ? mapped : mapHeader({ ...contract, drift: "ignore" }, header);
}
