import type { Contract } from "./contract.ts";
import type { FileFault } from "./faults.ts";
import { type HeaderMapping, mapHeader } from "./map_header.ts";
import type { CsvRecord } from "./scan_csv.ts";

/**
 * Says whether a file can be loaded as a whole, by its first record.
 *
 * @param contract The contract of its feed.
 * @param header The first record of the file, possibly at fault; null when there is none.
 * @returns Which field is which column, or why the file cannot be loaded.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { SHOP_EVENTS } from "./shop_events.ts";
 *
 * const verdict = judgeHeader(SHOP_EVENTS, null);
 * assert.deepEqual(verdict, { ok: false, fault: { code: "empty_file" } });
 * ```
 */
export function judgeHeader(
  contract: Contract,
  header: CsvRecord | null,
): { ok: true; mapping: HeaderMapping } | { ok: false; fault: FileFault } {
  if (header === null) return { ok: false, fault: { code: "empty_file" } };
  if (header.fault === undefined) return mapHeader(contract, header.fields);
  const isText = header.fault !== "invalid_utf8";
  return {
    ok: false,
    fault: { code: isText ? "header_not_recognised" : "unsupported_encoding" },
  };
}
