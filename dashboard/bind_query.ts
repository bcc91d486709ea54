/** A value of a named parameter. */
export type Parameter = string | Date | null;

/** A query as it is sent, and as people may paste it. */
export interface BoundQuery {
  readonly text: string;
  readonly values: readonly Parameter[];
  /** The same with its values in place. */
  readonly shown: string;
}

/** A name behind a single colon; `::` is a cast. */
const NAME = /(?<!:):([a-z_]+)\b/g;

/**
 * Puts values to the named parameters of a query. The values travel apart from the text.
 *
 * @throws {Error} when a parameter has no value
 */
export function bindQuery(
  sql: string,
  parameters: Readonly<Record<string, Parameter>>,
): BoundQuery {
  const names: string[] = [];
  const text = sql.replace(NAME, (_, name: string) => {
    if (!(name in parameters)) throw new Error(`Cannot ask: parameter ${name} has no value`);
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  });
  return {
    text,
    values: names.map((name) => parameters[name]!),
    shown: sql.replace(NAME, (_, name: string) => literal(parameters[name]!)),
  };
}

function literal(value: Parameter): string {
  if (value === null) return "null";
  const text = value instanceof Date ? value.toISOString() : value;
  return `'${text.replaceAll("'", "''")}'`;
}
