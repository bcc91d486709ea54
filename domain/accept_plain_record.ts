import type { Contract } from "./contract.ts";
import { epochMicros } from "./_timestamp.ts";

/**
 * Checks one record. The event's time in epoch milliseconds: it is valid, and `values` holds its
 * canonical values; {@link NOT_PLAIN}: ask `validateRecord`.
 */
export type AcceptPlainRecord = (
  fields: readonly string[],
  values: (string | null)[],
) => number;

/** The answer of {@link AcceptPlainRecord} on records that are not plainly valid. */
export const NOT_PLAIN = -1;

/**
 * The fast way around zod: makes a function that accepts plainly valid records without an object
 * for each. What it refuses may still be valid: then {@link validateRecord} decides. What it
 * accepts, zod accepts with the same values (property-tested).
 *
 * @param contract The contract.
 * @param positions Per column of the contract the index of its field, -1 when absent.
 * @param discoveredAt When the file was discovered, in epoch milliseconds.
 * @returns The function.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { SHOP_EVENTS } from "./shop_events.ts";
 *
 * const positions = SHOP_EVENTS.columns.map((_, index) => index);
 * const accept = acceptPlainRecord(SHOP_EVENTS, { positions, discoveredAt: 0 });
 * assert.equal(accept(positions.map(() => "?"), []), NOT_PLAIN);
 * ```
 */
export function acceptPlainRecord(
  contract: Contract,
  { positions, discoveredAt }: { positions: readonly number[]; discoveredAt: number },
): AcceptPlainRecord {
  const plain = contract.columns.map((column) => column.plain);
  const names = contract.columns.map(({ name }) => name);
  const rules = contract.recordRules.map(({ reads: [first, second], holds }) => ({
    first: names.indexOf(first),
    second: names.indexOf(second),
    holds,
  }));
  const timeColumn = names.indexOf(contract.eventTime.column);
  const latestMicros = (discoveredAt + contract.eventTime.maxAheadMs) * 1000;
  return (fields, values) => {
    for (let column = 0; column < plain.length; column++) {
      const position = positions[column]!;
      const value = plain[column]!(position < 0 ? "" : fields[position]!);
      if (value === undefined) return NOT_PLAIN;
      values[column] = value;
    }
    for (const { first, second, holds } of rules) {
      if (!holds(values[first]!, values[second]!)) return NOT_PLAIN;
    }
    const micros = epochMicros(values[timeColumn]!);
    return micros <= latestMicros ? Math.floor(micros / 1000) : NOT_PLAIN;
  };
}
