import { InvalidArgumentError } from "commander";
import { UsageError } from "../cli/failures.ts";

/** The period that a report is about. */
export interface ReportWindow {
  readonly from: Date;
  /** Exclusive. */
  readonly to: Date;
  /** Where days are cut. */
  readonly timeZone: string;
  /** The one that money is told in; null where nothing was sold. */
  readonly currency: string | null;
}

const HOUR_MS = 3_600_000;
const UNIT_MS: Readonly<Record<string, number>> = {
  h: HOUR_MS,
  d: 24 * HOUR_MS,
  w: 7 * 24 * HOUR_MS,
};

/** A period such as `24h`, `7d` or `8w`, as milliseconds. */
export function readPeriod(text: string): number {
  const match = /^([1-9]\d{0,3})([hdw])$/.exec(text);
  if (match) return Number(match[1]) * UNIT_MS[match[2]!]!;
  throw new InvalidArgumentError("expected a period such as 1h, 24h, 7d or 8w");
}

/** A time zone by its IANA name. */
export function readTimeZone(text: string): string {
  try {
    // Offsets such as +02:00 are understood here, and mean the opposite in PostgreSQL.
    if (/^[A-Za-z]/.test(text)) {
      new Intl.DateTimeFormat("en", { timeZone: text });
      return text;
    }
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError("expected the name of a time zone such as Europe/Berlin");
}

/** A currency by its ISO 4217 code. */
export function readCurrency(text: string): string {
  if (/^[A-Za-z]{3}$/.test(text)) return text.toUpperCase();
  throw new InvalidArgumentError("expected an ISO 4217 code such as EUR");
}

/**
 * The period that was asked for.
 *
 * @param options `last` and the ends in milliseconds; `last` counts back from `to`, which is `now` by default.
 * @throws {UsageError} when they contradict each other
 */
export function choosePeriod(
  { last, from, to }: { last?: number; from?: number; to?: number },
  now: number,
): { from: Date; to: Date } {
  if (last !== undefined && from !== undefined) {
    throw new UsageError("Cannot report: expected either --last or --from, but got both");
  }
  const end = to ?? now;
  const begin = from ?? end - (last ?? readPeriod("7d"));
  if (begin >= end) throw new UsageError("Cannot report: --from lies at or behind --to");
  return { from: new Date(begin), to: new Date(end) };
}

/** An interval that cuts the period into some five to fifty pieces, as PostgreSQL reads it. */
export function chooseWidth({ from, to }: Pick<ReportWindow, "from" | "to">): string {
  const hours = (to.getTime() - from.getTime()) / HOUR_MS;
  if (hours <= 3) return "5 minutes";
  if (hours <= 50) return "1 hour";
  return hours <= 36 * 24 ? "1 day" : "7 days";
}
