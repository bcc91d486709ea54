/**
 * A PostgreSQL array literal of values that never need quoting: uuid, numbers, RFC 3339 times.
 *
 * @param values Column of values; null becomes SQL null.
 */
export function plainArray(values: readonly (string | number | null)[]): string {
  return `{${values.map((value) => value ?? "null").join(",")}}`;
}

/**
 * A PostgreSQL array literal of any text, quoted and escaped.
 *
 * @param values Column of values; null becomes SQL null.
 */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map(quote).join(",")}}`;
}

const NEEDS_ESCAPE = /[\\"]/;

function quote(value: string | null): string {
  if (value === null) return "null";
  return NEEDS_ESCAPE.test(value) ? `"${value.replace(/[\\"]/g, "\\$&")}"` : `"${value}"`;
}
