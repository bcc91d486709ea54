import type { Kind, Value } from "./report_question.ts";
import type { ReportWindow } from "./report_window.ts";

/** A number however it came; null is none. */
export function numberOf(value: Value | undefined): number {
  return Number(value ?? 0);
}

/** Sum of a column. */
export function sumOf(rows: readonly Readonly<Record<string, Value>>[], column: string): number {
  return rows.reduce((sum, row) => sum + numberOf(row[column]), 0);
}

/** Writes a value for people: `1,234`, `12.50`, `4.1 %`, `Mon 2026-01-05`. */
export function formatValue(
  value: Value | undefined,
  kind: Kind,
  { timeZone, from, to }: Pick<ReportWindow, "timeZone" | "from" | "to">,
): string {
  if (value === null || value === undefined) return "–";
  switch (kind) {
    case "count":
      return Math.round(Number(value)).toLocaleString("en-US");
    case "money":
      return formatMoney(Number(value), 2);
    case "share":
      return `${(Number(value) * 100).toFixed(1)} %`;
    case "ratio":
      return Number(value).toFixed(2);
    case "time":
      return value instanceof Date
        ? formatTime(value, { timeZone, spanMs: to.getTime() - from.getTime() })
        : String(value);
    case "text":
      return String(value) || "(none)";
  }
}

/** An amount with so many digits after the point; by default cents where they are worth reading. */
export function formatMoney(amount: number, digits = Math.abs(amount) >= 1_000 ? 0 : 2): string {
  return amount.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** A time in the zone: as short as the period allows. */
function formatTime(
  time: Date,
  { timeZone, spanMs }: { timeZone: string; spanMs: number },
): string {
  // Swedish writes dates as ISO 8601 does.
  const [date, clock] = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    dateStyle: "short",
    timeStyle: "short",
  }).format(time).split(" ") as [string, string];
  if (spanMs <= 26 * 3_600_000) return clock;
  const weekday = new Intl.DateTimeFormat("en", { timeZone, weekday: "short" }).format(time);
  return spanMs <= 50 * 3_600_000 ? `${weekday} ${clock}` : `${weekday} ${date}`;
}
