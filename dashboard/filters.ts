/** What the page shows: a period, and what is left out. Read from the address, so that it can be shared. */
export interface Filters {
  readonly from: Date;
  /** Exclusive. */
  readonly to: Date;
  readonly device: string | null;
  /** First level of the category's name. */
  readonly category: string | null;
  readonly currency: string | null;
}

/** Periods that end now, by their name in the address. */
export const RANGES_MS: Readonly<Record<string, number>> = {
  "15m": 15 * 60_000,
  "1h": 3_600_000,
  "6h": 6 * 3_600_000,
  "24h": 24 * 3_600_000,
  "7d": 7 * 86_400_000,
  "28d": 28 * 86_400_000,
  "8w": 56 * 86_400_000,
};

/** Shown where the address says nothing. */
export const DEFAULT_RANGE = "1h";

/** The address asks for something that cannot be shown. */
export class FilterError extends Error {
  override readonly name = "FilterError";
}

/**
 * Reads filters from the query of an address: `range`, or `from` and `to` (RFC 3339), `device`, `category`, `currency`.
 *
 * @throws {FilterError} names the part that cannot be used
 */
export function readFilters(query: URLSearchParams, now: number): Filters {
  const text = (name: string) => query.get(name) || null;
  return {
    ...readPeriod(text("range"), text("from"), text("to"), now),
    device: checked("device", text("device"), /^(desktop|mobile|tablet)$/),
    category: checked("category", text("category"), /^[^\p{Cc}]{1,200}$/u),
    currency: checked("currency", text("currency"), /^[A-Z]{3}$/),
  };
}

function readPeriod(
  range: string | null,
  from: string | null,
  to: string | null,
  now: number,
): Pick<Filters, "from" | "to"> {
  if (from === null && to === null) {
    const name = range ?? DEFAULT_RANGE;
    const length = Object.hasOwn(RANGES_MS, name) ? RANGES_MS[name] : undefined;
    if (length === undefined) {
      throw new FilterError(
        `Cannot show range ${range}: expected one of ${Object.keys(RANGES_MS).join(", ")}`,
      );
    }
    return { from: new Date(now - length), to: new Date(now) };
  }
  const [begin, end] = [readTime("from", from), readTime("to", to ?? new Date(now).toISOString())];
  if (begin >= end) throw new FilterError("Cannot show the period: from lies at or behind to");
  return { from: begin, to: end };
}

function readTime(name: string, text: string | null): Date {
  const isTime = text !== null && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text);
  const time = new Date(isTime ? text : NaN);
  if (Number.isNaN(time.getTime())) {
    throw new FilterError(`Cannot use ${name}: expected a time such as 2026-01-31T09:30:00Z`);
  }
  return time;
}

function checked(name: string, value: string | null, pattern: RegExp): string | null {
  if (value === null || pattern.test(value)) return value;
  throw new FilterError(`Cannot use ${name}: no ${name} is called so`);
}

/** An interval that cuts the period into some fifteen to ninety pieces, as PostgreSQL reads it. */
export function intervalOf({ from, to }: Pick<Filters, "from" | "to">): string {
  const hours = (to.getTime() - from.getTime()) / 3_600_000;
  if (hours <= 1.5) return "1 minute";
  if (hours <= 12) return "10 minutes";
  if (hours <= 72) return "1 hour";
  return hours <= 24 * 14 ? "6 hours" : "1 day";
}
