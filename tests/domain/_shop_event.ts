import { mapHeader } from "../../domain/map_header.ts";
import { type ChunkBatch, readChunk } from "../../domain/read_chunk.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";

/** When the files of these tests were discovered. */
export const DISCOVERED_AT = Date.UTC(2026, 0, 31, 12);

/** A purchase, written canonically. */
export const PURCHASE: Readonly<Record<string, string>> = {
  event_id: "019c1234-5678-7abc-8def-0123456789ab",
  event_time: "2026-01-30T08:15:30.25Z",
  event_type: "purchase",
  user_id: "u-1001",
  session_id: "5f0c3a52-9f5e-4f4e-8f7e-1b2a3c4d5e6f",
  product_id: "P-77",
  product_name: "Oak chair",
  category: "home.furniture.chairs",
  brand: "Acme",
  price: "129.90",
  currency: "EUR",
  quantity: "2",
  order_id: "7b1e6f0a-2c3d-4e5f-8a9b-0c1d2e3f4a5b",
  device: "mobile",
  country: "DE",
};

/** A view of the same product, written canonically. */
export const VIEW: Readonly<Record<string, string>> = {
  ...PURCHASE,
  event_type: "product_view",
  quantity: "1",
  order_id: "",
};

/** The contract's column names. */
export const NAMES: readonly string[] = SHOP_EVENTS.columns.map(({ name }) => name);

/** The cells of a record, in the order of the contract. */
export function cells(record: Readonly<Record<string, string>>): string[] {
  return NAMES.map((name) => record[name]!);
}

/** Cells as one CSV line, quoted where needed. */
export function csvLine(fields: readonly string[]): string {
  return fields.map((field) => /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)
    .join(",") + "\n";
}

/** Reads data lines below a header, as chunk that begins behind it. */
export function readText(text: string, header: readonly string[] = NAMES): ChunkBatch {
  const mapped = mapHeader(SHOP_EVENTS, header);
  if (!mapped.ok) throw new Error(`Cannot map header: ${mapped.fault.code}`);
  return readChunk(new TextEncoder().encode(text), {
    contract: SHOP_EVENTS,
    dialect: { delimiter: ",", bomBytes: 0 },
    mapping: mapped.mapping,
    discoveredAt: DISCOVERED_AT,
    firstLine: 2,
    byteStart: csvLine(header).length,
  });
}
