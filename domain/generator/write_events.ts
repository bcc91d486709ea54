// @ts-types="@types/d3-dsv"
import { csvFormatRows } from "d3-dsv";
import { SHOP_EVENTS } from "../shop_events.ts";
import type { EventRow } from "./event_stream.ts";

/** The first record of a file, with its line end. */
export const EVENT_HEADER = `${SHOP_EVENTS.columns.map(({ name }) => name).join(",")}\n`;

/**
 * Writes events as CSV (RFC 4180 with LF), each with its line end, without header.
 *
 * d3-dsv, because it quotes what needs it at 500,000 rows a second; `csv-stringify`, the oracle of the
 * test, does 170,000 (`deno task bench --only write`).
 */
export function writeEvents(rows: EventRow[]): string {
  return rows.length === 0 ? "" : `${csvFormatRows(rows)}\n`;
}
