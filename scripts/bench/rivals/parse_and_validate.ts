import { parse } from "csv-parse/sync";
import { z } from "zod";
import { DEVICES, EVENT_TYPES } from "../../../domain/shop_events.ts";

/** The contract as somebody would write it for zod alone: no aliases, no canonical text, one error is enough. */
const EVENT = z.object({
  event_id: z.uuid(),
  event_time: z.iso.datetime({ offset: true }),
  event_type: z.enum(EVENT_TYPES),
  user_id: z.string().min(1).max(64),
  session_id: z.uuid(),
  product_id: z.string().min(1).max(64),
  product_name: z.string().min(1).max(300),
  category: z.string().max(200),
  brand: z.string().max(100),
  price: z.string().regex(/^\d{1,10}(\.\d{1,2})?$/),
  currency: z.string().regex(/^[A-Z]{3}$/),
  quantity: z.coerce.number().int().min(1).max(1000),
  order_id: z.union([z.uuid(), z.literal("")]),
  device: z.enum(DEVICES),
  country: z.string().regex(/^[A-Z]{2}$/),
}).refine(({ event_type, order_id }) => (event_type === "purchase") === (order_id !== ""));

/**
 * What many would do: `csv-parse` to an object for each record, each checked with zod.
 *
 * @param bytes Whole records, without the header.
 * @returns How many are valid.
 */
export function parseAndValidate(bytes: Uint8Array, header: string[]): number {
  let valid = 0;
  for (const record of parse(bytes, { columns: header })) {
    if (EVENT.safeParse(record).success) valid++;
  }
  return valid;
}
