import type { Sql } from "../database.ts";

/** Which fault is meant; what is left out may be any. */
export interface FaultFilter {
  readonly code?: string | undefined;
  readonly column?: string | undefined;
}

/**
 * Condition on rejects `r`: one of their faults is of this code, in this column.
 *
 * @param sql Pool of any role that reads rejects.
 */
export function withFault(sql: Sql, fault: FaultFilter) {
  return sql`r.faults @> jsonb_build_array(${faultPattern(sql, fault)})`;
}

/**
 * What a fault has to contain: `{code, column}`, as far as they are given.
 *
 * @param sql Pool of any role that reads rejects.
 */
export function faultPattern(sql: Sql, { code, column }: FaultFilter) {
  return sql`jsonb_strip_nulls(jsonb_build_object('code', ${code ?? null}::text, 'column', ${
    column ?? null
  }::text))`;
}
