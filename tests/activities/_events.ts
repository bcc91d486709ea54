import { cells, csvLine, NAMES, PURCHASE, VIEW } from "../domain/_shop_event.ts";

/** An event as a record of the contract's columns. */
export type TestEvent = Readonly<Record<string, string>>;

/** The n-th event of a made-up day: another id, minute and product for each n. */
export function event(n: number, changes: TestEvent = {}): TestEvent {
  const minute = new Date(Date.UTC(2026, 0, 5, 12, n % 1440)).toISOString();
  return {
    ...(n % 5 === 0 ? PURCHASE : VIEW),
    event_id: eventId(n),
    event_time: minute,
    product_id: `P-${n}`,
    price: `${n % 97}.${String(n % 100).padStart(2, "0")}`,
    ...changes,
  };
}

/** Events `from` up to but not including `end`. */
export function events(from: number, end: number): TestEvent[] {
  return Array.from({ length: end - from }, (_, index) => event(from + index));
}

/** Id of the n-th event. */
export function eventId(n: number): string {
  return `019c0000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

/** A file of these events. */
export function csv(events: readonly TestEvent[]): string {
  return csvLine(NAMES) + events.map((event) => csvLine(cells(event))).join("");
}

/** A file whose lines behind the header are given as they are. */
export function csvOf(...lines: string[]): string {
  return csvLine(NAMES) + lines.join("");
}

/** One event as a line of a file. */
export function line(event: TestEvent): string {
  return csvLine(cells(event));
}
