import assert from "node:assert/strict";
import { renderFault } from "../../domain/render_fault.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { validateRecord } from "../../domain/validate_record.ts";
import { cells, DISCOVERED_AT, NAMES, PURCHASE, VIEW } from "./_shop_event.ts";

const validate = (record: Readonly<Record<string, string>>) =>
  validateRecord(SHOP_EVENTS, cells(record), DISCOVERED_AT);

/** The canonical values that differ from the record's text, or the faults as `column code`. */
function judge(record: Readonly<Record<string, string>>) {
  const outcome = validate(record);
  if (!outcome.ok) return outcome.faults.map(({ column, code }) => `${column} ${code}`);
  return Object.fromEntries(
    NAMES.map((name, index) => [name, outcome.values[index]] as const)
      .filter(([name, value]) => value !== record[name]),
  );
}

const TIME_CASES: [text: string, canonicalOrFault: string][] = [
  ["2026-01-30T08:15:30Z", "2026-01-30T08:15:30Z"],
  ["2026-01-30t08:15:30z", "2026-01-30T08:15:30Z"],
  ["2026-01-30 08:15:30+00:00", "2026-01-30T08:15:30Z"],
  ["2026-01-30T08:15:30-00:00", "2026-01-30T08:15:30Z"],
  ["2026-01-30T08:15:30.120000Z", "2026-01-30T08:15:30.12Z"],
  ["2026-01-30T08:15:30.000000Z", "2026-01-30T08:15:30Z"],
  ["2026-01-30T08:15:30.123456Z", "2026-01-30T08:15:30.123456Z"],
  ["2026-01-30T00:15:30.5+05:45", "2026-01-29T18:30:30.5Z"],
  ["2026-01-30T23:15:30-23:59", "2026-01-31T23:14:30Z"],
  ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"],
  ["2000-01-01T00:00:00Z", "2000-01-01T00:00:00Z"],
  ["1999-12-31T23:30:00-01:00", "2000-01-01T00:30:00Z"],
  ["2026-02-01T12:00:00Z", "2026-02-01T12:00:00Z"],
  ["2026-02-01T12:00:00.000001Z", "out_of_range"],
  ["2026-02-01T12:00:01Z", "out_of_range"],
  ["1999-12-31T23:59:59.999999Z", "out_of_range"],
  ["2000-01-01T00:30:00+01:00", "out_of_range"],
  ["0000-01-01T00:00:00+01:00", "out_of_range"],
  ["9999-12-31T23:59:59-01:00", "out_of_range"],
  ["2026-02-29T00:00:00Z", "invalid_timestamp"],
  ["2100-02-29T00:00:00Z", "invalid_timestamp"],
  ["2026-04-31T00:00:00Z", "invalid_timestamp"],
  ["2026-13-01T00:00:00Z", "invalid_timestamp"],
  ["2026-00-01T00:00:00Z", "invalid_timestamp"],
  ["2026-01-00T00:00:00Z", "invalid_timestamp"],
  ["2026-01-30T24:00:00Z", "invalid_timestamp"],
  ["2025-12-31T23:59:60Z", "invalid_timestamp"],
  ["2026-01-30T08:60:00Z", "invalid_timestamp"],
  ["2026-01-30T08:15:30.1234567Z", "invalid_timestamp"],
  ["2026-01-30T08:15:30.Z", "invalid_timestamp"],
  ["2026-01-30T08:15:30", "invalid_timestamp"],
  ["2026-01-30T08:15Z", "invalid_timestamp"],
  ["2026-01-30", "invalid_timestamp"],
  ["2026-01-30T08:15:30+0100", "invalid_timestamp"],
  ["2026-01-30T08:15:30+24:00", "invalid_timestamp"],
  ["2026-01-30T08:15:30 UTC", "invalid_timestamp"],
  ["2026-01-30T08:15:30Z\n", "invalid_timestamp"],
  [" 2026-01-30T08:15:30Z", "invalid_timestamp"],
  ["1769760930", "invalid_timestamp"],
  ["+02026-01-30T08:15:30Z", "invalid_timestamp"],
];

for (const [text, expected] of TIME_CASES) {
  Deno.test({
    name: `validateRecord() event_time ${JSON.stringify(text)}`,
    permissions: "none",
    fn() {
      const verdict = judge({ ...PURCHASE, event_time: text });
      if (/^\d/.test(expected)) {
        assert.deepEqual(verdict, expected === text ? {} : { event_time: expected });
      } else {
        assert.deepEqual(verdict, [`event_time ${expected}`]);
      }
    },
  });
}

const CASES: {
  name: string;
  record?: Readonly<Record<string, string>>;
  change: Record<string, string>;
  values?: Record<string, string | null>;
  faults?: string[];
}[] = [
  { name: "takes a canonical purchase", change: {} },
  {
    name: "takes a canonical view, whose order_id becomes null",
    record: VIEW,
    change: {},
    values: { order_id: null },
  },
  { name: "takes empty category and brand", change: { category: "", brand: "" } },
  {
    name: "lowers UUIDs of any version",
    change: { event_id: "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF" },
    values: { event_id: "ffffffff-ffff-ffff-ffff-ffffffffffff" },
  },
  {
    name: "refuses other forms of UUID",
    change: {
      event_id: "{019c1234-5678-7abc-8def-0123456789ab}",
      session_id: "5f0c3a529f5e4f4e8f7e1b2a3c4d5e6f",
      order_id: "7b1e6f0a-2c3d-4e5f-8a9b-0c1d2e3f4a5g",
    },
    faults: ["event_id invalid_uuid", "session_id invalid_uuid", "order_id invalid_uuid"],
  },
  {
    name: "takes values in any letter case",
    change: { event_type: "Purchase", currency: "eur", device: "MOBILE", country: "de" },
    values: { event_type: "purchase", currency: "EUR", device: "mobile", country: "DE" },
  },
  {
    name: "takes values by alias",
    record: VIEW,
    change: { event_type: "View", device: "Phone", country: "UK" },
    values: { event_type: "product_view", device: "mobile", country: "GB", order_id: null },
  },
  { name: "takes a currency withdrawn since 2000", change: { currency: "DEM" } },
  {
    name: "refuses unknown values, also such as every object has",
    change: { event_type: "refund", currency: "EURO", device: "constructor", country: "XK" },
    faults: [
      "event_type unknown_value",
      "currency unknown_value",
      "device unknown_value",
      "country unknown_value",
    ],
  },
  {
    name: "counts characters by code points",
    change: { user_id: "😀".repeat(64), product_name: "é".repeat(300) },
  },
  {
    name: "refuses text one character too long",
    change: {
      user_id: "😀".repeat(65),
      product_id: "p".repeat(65),
      product_name: "é".repeat(301),
      category: "c".repeat(201),
      brand: "b".repeat(101),
    },
    faults: [
      "user_id too_long",
      "product_id too_long",
      "product_name too_long",
      "category too_long",
      "brand too_long",
    ],
  },
  { name: "takes tabs and line breaks in text", change: { product_name: "Oak\tchair\r\nlarge\n" } },
  {
    name: "refuses control characters in text",
    change: { user_id: "u\u0000", product_id: "p\u001b", product_name: "x\u007f", brand: "\u0085" },
    faults: [
      "user_id control_character",
      "product_id control_character",
      "product_name control_character",
      "brand control_character",
    ],
  },
  { name: "writes a price with two decimals", change: { price: "5" }, values: { price: "5.00" } },
  { name: "fills one decimal", change: { price: "5.5" }, values: { price: "5.50" } },
  { name: "drops leading zeros", change: { price: "007.50" }, values: { price: "7.50" } },
  { name: "keeps a price of zero", change: { price: "000" }, values: { price: "0.00" } },
  { name: "takes the greatest price", change: { price: "9999999999.99" } },
  ...["10000000000", "-0.01", "-5"].map((price) => ({
    name: `refuses the price ${price} as out of range`,
    change: { price },
    faults: ["price out_of_range"],
  })),
  ...["1.234", "1,50", "1e3", "€5", "$5", "+5", ".5", "5.", " 5", "0x10", "NaN", "1_000", "٣"].map((
    price,
  ) => ({
    name: `refuses the price ${price} as no number`,
    change: { price },
    faults: ["price invalid_number"],
  })),
  { name: "takes the greatest quantity", change: { quantity: "1000" } },
  { name: "drops leading zeros", change: { quantity: "007" }, values: { quantity: "7" } },
  ...["0", "1001", "-1", "9".repeat(400)].map((quantity) => ({
    name: `refuses the quantity ${quantity.slice(0, 5)} as out of range`,
    change: { quantity },
    faults: ["quantity out_of_range"],
  })),
  ...["1.0", "1e1", "one", " 1", "+1"].map((quantity) => ({
    name: `refuses the quantity ${quantity} as no number`,
    change: { quantity },
    faults: ["quantity invalid_number"],
  })),
  {
    name: "refuses a view of two",
    record: VIEW,
    change: { quantity: "2" },
    faults: ["quantity view_with_quantity"],
  },
  {
    name: "refuses a purchase without order",
    change: { order_id: "" },
    faults: ["order_id purchase_without_order"],
  },
  {
    name: "refuses an order on another event",
    change: { event_type: "add_to_cart" },
    faults: ["order_id order_without_purchase"],
  },
  {
    name: "refuses every empty required value",
    change: Object.fromEntries(NAMES.map((name) => [name, ""])),
    faults: NAMES.filter((name) => !["category", "brand", "order_id"].includes(name))
      .map((name) => `${name} missing_value`),
  },
  {
    name: "collects the faults of values and of the record",
    record: VIEW,
    change: { price: "free", quantity: "3", order_id: PURCHASE.order_id!, country: "Germany" },
    faults: [
      "price invalid_number",
      "country unknown_value",
      "quantity view_with_quantity",
      "order_id order_without_purchase",
    ],
  },
];

for (const { name, record = PURCHASE, change, values = {}, faults } of CASES) {
  Deno.test({
    name: `validateRecord() ${name}: ${Object.keys(change).slice(0, 3).join(" ")}`,
    permissions: "none",
    fn() {
      assert.deepEqual(judge({ ...record, ...change }), faults ?? values);
    },
  });
}

Deno.test({
  name: "validateRecord() faults never hold the value",
  permissions: "none",
  fn() {
    const marker = "s3cr3t";
    const outcome = validate(Object.fromEntries(NAMES.map((name) => [name, marker.repeat(60)])));
    assert.ok(!outcome.ok);
    assert.ok(outcome.faults.length > 10);
    assert.ok(!JSON.stringify(outcome.faults).includes(marker));
    for (const fault of outcome.faults) {
      assert.match(renderFault(fault, 7), /^Line 7, column \w+: expected /);
    }
  },
});
