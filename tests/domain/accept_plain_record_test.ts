import assert from "node:assert/strict";
import fc from "fast-check";
import { acceptPlainRecord, NOT_PLAIN } from "../../domain/accept_plain_record.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { validateRecord } from "../../domain/validate_record.ts";
import { cells, DISCOVERED_AT, NAMES, PURCHASE, VIEW } from "./_shop_event.ts";

const positions = NAMES.map((_, index) => index);
const accept = acceptPlainRecord(SHOP_EVENTS, { positions, discoveredAt: DISCOVERED_AT });

/** Values at and just beyond the borders of every rule. */
const EDGES: Record<string, string[]> = {
  event_id: ["019C1234-5678-7ABC-8DEF-0123456789AB", "019c12345678-7abc-8def-0123456789ab-"],
  event_time: [
    "2026-02-01T12:00:00Z",
    "2026-02-01T12:00:00.000001Z",
    "2026-02-01T13:00:00+01:00",
    "2000-01-01T00:00:00Z",
    "2000-01-01T00:30:00+01:00",
    "1999-12-31T23:30:00-01:00",
    "2024-02-29T23:59:59.999999Z",
    "2023-02-29T00:00:00Z",
    "2024-12-31 23:59:59.120-00:30",
    "2025-01-01t00:00:00z",
  ],
  event_type: ["view", "VIEW", "Add_To_Cart", "remove_from_cart", "__proto__", "purchase "],
  user_id: ["", "x".repeat(64), "x".repeat(65), "😀".repeat(64), "😀".repeat(65), "\t", "\u0085"],
  product_name: ["", "é".repeat(300), "é".repeat(301), "a b c d e f g h i\u0001", "\u007f"],
  category: ["", ".", "c".repeat(200), "c".repeat(201)],
  brand: ["", "\r\n", "\u00a0", "\u009f", "b".repeat(101)],
  price: ["0", "0.0", "00.10", "9999999999.99", "10000000000", "1.234", "-0", "1.", ".1", ""],
  currency: ["usd", "Usd", "DEM", "XXX", "ABC", ""],
  quantity: ["0", "1", "01", "1000", "1001", "9999", "10000", "-1", "1.0", ""],
  order_id: ["", "7B1E6F0A-2C3D-4E5F-8A9B-0C1D2E3F4A5B"],
  device: ["desktop", "TABLET", "phone", "tv"],
  country: ["gb", "UK", "XK", "\u212aR"],
};

/** A cell with one character dropped, doubled or replaced. */
const damaged = (cell: string) =>
  fc.tuple(
    fc.nat({ max: cell.length }),
    fc.constantFrom(0, 1),
    fc.oneof(
      fc.constant(""),
      fc.constantFrom(..."0159-+.:TtZz eéA\u0000\n\u007f"),
      fc.string({ unit: "binary", maxLength: 2 }),
    ),
  ).map(([at, drop, put]) => cell.slice(0, at) + put + cell.slice(at + drop));

/** A sound record with a few cells replaced by edges, damaged ones or those of the other kind. */
const records = fc.constantFrom(PURCHASE, VIEW).chain((base) =>
  fc.array(
    fc.constantFrom(...NAMES).chain((name) =>
      fc.oneof(
        fc.constantFrom(...EDGES[name] ?? [base[name]!]),
        damaged(base[name]!),
        fc.constantFrom(PURCHASE[name]!, VIEW[name]!),
      ).map((cell) => [name, cell] as const)
    ),
    { maxLength: 3 },
  ).map((changes) => ({ ...base, ...Object.fromEntries(changes) }))
);

Deno.test({
  name: "acceptPlainRecord() accepts only what zod accepts, with the same values",
  permissions: "none",
  fn() {
    let accepted = 0;
    let valid = 0;
    fc.assert(
      fc.property(records, (record) => {
        const fields = cells(record);
        const values: (string | null)[] = [];
        const time = accept(fields, values);
        const truth = validateRecord(SHOP_EVENTS, fields, DISCOVERED_AT);
        if (truth.ok) valid++;
        if (time === NOT_PLAIN) return;
        accepted++;
        assert.deepEqual(truth, { ok: true, values });
        assert.equal(time, Math.floor(Date.parse(values[1]!)));
      }),
      { numRuns: 5_000 },
    );
    assert.ok(accepted > 1_000, `only ${accepted} records took the fast way`);
    assert.ok(accepted > valid * 0.8, `${accepted} of ${valid} valid records took the fast way`);
  },
});

Deno.test({
  name: "acceptPlainRecord() takes the usual spellings without zod",
  permissions: "none",
  fn() {
    const usual = [
      { event_time: "2026-01-30T08:15:30Z" },
      { event_time: "2026-01-30 08:15:30.120+02:00" },
      { event_id: PURCHASE.event_id!.toUpperCase() },
      { price: "5" },
      { price: "5.5" },
      { product_name: "Café crème, 2 pièces" },
      { currency: "eur", country: "de", device: "Phone" },
      { category: "", brand: "" },
    ];
    for (const change of usual) {
      assert.notEqual(accept(cells({ ...PURCHASE, ...change }), []), NOT_PLAIN);
    }
  },
});

Deno.test({
  name: "acceptPlainRecord() reads absent columns as empty",
  permissions: "none",
  fn() {
    const withoutBrand = NAMES.map((name, index) => name === "brand" ? -1 : index);
    const values: (string | null)[] = [];
    const acceptWithout = acceptPlainRecord(SHOP_EVENTS, {
      positions: withoutBrand,
      discoveredAt: DISCOVERED_AT,
    });
    assert.equal(acceptWithout(cells(PURCHASE), values), Date.UTC(2026, 0, 30, 8, 15, 30, 250));
    assert.equal(values[NAMES.indexOf("brand")], "");
  },
});
