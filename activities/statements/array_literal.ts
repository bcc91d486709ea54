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
  let literal = "{";
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (i > 0) literal += ",";
    if (value === null || value === undefined) literal += "null";
    else if (NEEDS_ESCAPE.test(value)) literal += `"${value.replace(/[\\"]/g, "\\$&")}"`;
    else literal += `"${value}"`;
  }
  return literal + "}";
}

const NEEDS_ESCAPE = /[\\"]/;
