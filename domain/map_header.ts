import type { Contract } from "./contract.ts";
import { editDistance } from "./edit_distance.ts";
import type { FileFault } from "./faults.ts";

/** Which field of a record is which column; plain data. */
export interface HeaderMapping {
  /** The header's fields as found; each record must have as many. */
  readonly header: readonly string[];
  /** Per column of the contract the index of its field, -1 when the header lacks it. */
  readonly positions: readonly number[];
  /** Columns that the contract does not know and its drift mode keeps. */
  readonly extras: readonly { readonly name: string; readonly position: number }[];
}

/** Names in a fault are cut to this: a header may be a megabyte long. */
const MAX_NAMES = 20;
const MAX_NAME_LENGTH = 60;
/** With more slips it is another word. */
const MAX_SLIPS = 2;
/** What a column name looks like: up to three words. Dates, numbers and sentences don't. */
const COLUMN_NAME = /^[\p{L}_][\p{L}\p{N}_.:-]*(?: [\p{L}\p{N}_.:()-]+){0,2}$/u;

/**
 * Finds the contract's columns in a header: in any order, by name or alias, whatever the letter
 * case and the separators (`Event ID` is `event_id`). A column's own name wins over its aliases;
 * columns left over go by the contract's drift mode. Columns that may be empty may be absent.
 *
 * @param contract The contract.
 * @param headerFields The fields of the first record.
 * @returns The mapping, or the file's fault, which holds column names only.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { SHOP_EVENTS } from "./shop_events.ts";
 *
 * const result = mapHeader(SHOP_EVENTS, ["name", "born"]);
 * assert.ok(!result.ok);
 * assert.equal(result.fault.code, "header_not_recognised");
 * assert.deepEqual(result.fault.seen, ["name", "born"]);
 * ```
 */
export function mapHeader(
  contract: Contract,
  headerFields: readonly string[],
): { ok: true; mapping: HeaderMapping } | { ok: false; fault: FileFault } {
  const fail = (code: FileFault["code"], columns: readonly string[]) => {
    const fault: FileFault = { code, columns: shorten(columns) };
    if (looksLikeHeader(headerFields)) fault.seen = shorten(headerFields);
    return { ok: false, fault } as const;
  };
  const fields = headerFields.map(normalise);
  const found = contract.columns.map(({ name, headerAliases }) => {
    const named = positionsOf(fields, [name]);
    return named.length > 0 ? named : positionsOf(fields, headerAliases);
  });

  const required = contract.columns.filter((column) => column.required);
  const missing = contract.columns.flatMap((column, index) =>
    column.required && found[index]!.length === 0 ? [column.name] : []
  );
  const mapped = new Set(found.flat());
  if (missing.length > 0) {
    const isOther = missing.length * 2 > required.length;
    const result = fail(isOther ? "header_not_recognised" : "missing_column", missing);
    const others = headerFields.filter((_, position) => !mapped.has(position));
    const misspelt = guessMisspelt(missing, others);
    if (result.fault.seen && misspelt.length > 0) result.fault.misspelt = misspelt;
    return result;
  }

  const unknown = headerFields.flatMap((field, position) =>
    mapped.has(position) ? [] : [{ name: field.trim() || `column_${position + 1}`, position }]
  );
  const repeated = contract.columns.filter((_, index) => found[index]!.length > 1)
    .map(({ name }) => name);
  // Two unknown columns of one name could not both be kept.
  if (contract.drift === "rescue") repeated.push(...repeatedNames(unknown));
  if (repeated.length > 0) return fail("duplicate_column", repeated);
  if (contract.drift === "fail" && unknown.length > 0) {
    return fail("unexpected_column", unknown.map(({ name }) => name));
  }
  return {
    ok: true,
    mapping: {
      header: headerFields,
      positions: found.map((positions) => positions[0] ?? -1),
      extras: contract.drift === "rescue" ? unknown : [],
    },
  };
}

/** Letter case and separators don't matter: `Event ID`, `event-id` and `eventId` are one name. */
function normalise(name: string): string {
  return name.trim().toLowerCase().replaceAll(/[\s_-]+/g, "");
}

function positionsOf(fields: readonly string[], names: readonly string[]): number[] {
  const wanted = names.map(normalise);
  return fields.flatMap((field, position) => wanted.includes(field) ? [position] : []);
}

function repeatedNames(columns: readonly { name: string }[]): string[] {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { name } of columns) (seen.has(name) ? repeated : seen).add(name);
  return [...repeated];
}

/** Only for names as short as those of columns: the effort grows with their length. */
function guessMisspelt(missing: readonly string[], others: readonly string[]) {
  const names = shorten(others).map((name) => name.trim());
  return missing.flatMap((column) => {
    const by = names.find((name) => editDistance(normalise(column), normalise(name)) <= MAX_SLIPS);
    return by === undefined ? [] : [{ column, by }];
  });
}

/** False for a first line that may hold data, whose values must not be repeated anywhere. */
function looksLikeHeader(fields: readonly string[]): boolean {
  return fields.length > 1 &&
    fields.every((field) => field.length <= MAX_NAME_LENGTH && COLUMN_NAME.test(field.trim()));
}

function shorten(names: readonly string[]): string[] {
  return names.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_NAME_LENGTH));
}
