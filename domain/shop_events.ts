import { type Contract, defineContract } from "./contract.ts";
import { oneOf, price, text, timestamp, uuid, wholeNumber } from "./_column_kinds.ts";
import { COUNTRIES, CURRENCIES, WITHDRAWN_CURRENCIES } from "./_iso_codes.ts";

/** What a user can do, in the order of the funnel. */
export const EVENT_TYPES = ["product_view", "add_to_cart", "remove_from_cart", "purchase"] as const;

/** What a user can do it on. */
export const DEVICES = ["desktop", "mobile", "tablet"] as const;

const DAY_MS = 86_400_000;
const EVENT_TIME_RANGE = "a time from 2000-01-01 to one day after the file was discovered";

/**
 * The contract `shop_events` v1. The zod schema, the header of written files, the column list of
 * the insert, the generator and the documentation come from this one definition.
 *
 * @example The header of a file
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const header = SHOP_EVENTS.columns.map(({ name }) => name).join(",");
 * assert.ok(header.startsWith("event_id,event_time,event_type,"));
 * ```
 */
export const SHOP_EVENTS: Contract = defineContract({
  feed: "shop_events",
  version: 1,
  drift: "rescue",
  eventTime: { column: "event_time", maxAheadMs: DAY_MS, expected: EVENT_TIME_RANGE },
  columns: [
    {
      name: "event_id",
      description: "Identifies the event across all files; UUIDv7 loads fastest.",
      headerAliases: ["event_uuid"],
      ...uuid({ required: true }),
    },
    {
      name: "event_time",
      description: "When the user acted.",
      headerAliases: ["event_timestamp", "timestamp", "occurred_at"],
      ...timestamp({ range: EVENT_TIME_RANGE }),
    },
    {
      name: "event_type",
      description: "What the user did.",
      headerAliases: ["event_name", "event"],
      ...oneOf(EVENT_TYPES, {
        postgresType: "text",
        expected: `one of ${EVENT_TYPES.join(", ")}`,
        aliases: {
          view: "product_view",
          view_item: "product_view",
          cart: "add_to_cart",
          remove: "remove_from_cart",
        },
      }),
    },
    {
      name: "user_id",
      description: "The shop's identifier of the user.",
      headerAliases: ["customer_id"],
      ...text({ shortest: 1, longest: 64, recurs: false }),
    },
    {
      name: "session_id",
      description: "The visit that the event belongs to.",
      headerAliases: ["user_session"],
      ...uuid({ required: true }),
    },
    {
      name: "product_id",
      description: "The shop's identifier of the product.",
      headerAliases: ["item_id", "sku"],
      ...text({ shortest: 1, longest: 64 }),
    },
    {
      name: "product_name",
      description: "The product's name at the time of the event.",
      headerAliases: ["item_name"],
      ...text({ shortest: 1, longest: 300 }),
    },
    {
      name: "category",
      description: "The product's category, its levels joined by `.`.",
      headerAliases: ["category_code", "item_category"],
      ...text({ shortest: 0, longest: 200 }),
    },
    {
      name: "brand",
      description: "The product's brand.",
      headerAliases: ["item_brand"],
      ...text({ shortest: 0, longest: 100 }),
    },
    {
      name: "price",
      description: "Price of one piece, in `currency`.",
      headerAliases: ["unit_price"],
      ...price(),
    },
    {
      name: "currency",
      description: "Currency of `price`.",
      headerAliases: ["currency_code"],
      ...oneOf([...CURRENCIES, ...WITHDRAWN_CURRENCIES], {
        postgresType: "char(3)",
        expected: "an ISO 4217 code",
      }),
    },
    {
      name: "quantity",
      description: "How many pieces; 1 on a `product_view`.",
      headerAliases: ["qty"],
      ...wholeNumber({ largest: 1000 }),
    },
    {
      name: "order_id",
      description: "The order; filled on a `purchase`, empty otherwise.",
      headerAliases: ["transaction_id"],
      ...uuid({ required: false }),
    },
    {
      name: "device",
      description: "What the user acted on.",
      headerAliases: ["device_type"],
      ...oneOf(DEVICES, {
        postgresType: "text",
        expected: `one of ${DEVICES.join(", ")}`,
        aliases: { phone: "mobile", smartphone: "mobile" },
      }),
    },
    {
      name: "country",
      description: "Where the user acted.",
      headerAliases: ["country_code"],
      ...oneOf(COUNTRIES, {
        postgresType: "char(2)",
        expected: "an ISO 3166-1 alpha-2 code",
        aliases: { uk: "GB" },
      }),
    },
  ],
  recordRules: [
    {
      code: "view_with_quantity",
      column: "quantity",
      expected: "1 on a product_view",
      reads: ["event_type", "quantity"],
      holds: (type, quantity) => type !== "product_view" || quantity === "1",
    },
    {
      code: "purchase_without_order",
      column: "order_id",
      expected: "an order_id on a purchase",
      reads: ["event_type", "order_id"],
      holds: (type, orderId) => type !== "purchase" || orderId !== null,
    },
    {
      code: "order_without_purchase",
      column: "order_id",
      expected: "no order_id on other events than a purchase",
      reads: ["event_type", "order_id"],
      holds: (type, orderId) => type === "purchase" || orderId === null,
    },
  ],
});
