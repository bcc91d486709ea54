import assert from "node:assert/strict";
import type { DriftMode } from "../../domain/contract.ts";
import { mapHeader } from "../../domain/map_header.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { NAMES } from "./_shop_event.ts";

const drifting = (drift: DriftMode) => ({ ...SHOP_EVENTS, drift });

/** Where the columns of a header are found, or the fault. */
function map(header: readonly string[], drift: DriftMode = "rescue") {
  const result = mapHeader(drifting(drift), header);
  if (!result.ok) return result.fault;
  const { positions, extras } = result.mapping;
  return { positions, extras: extras.map(({ name, position }) => `${name}@${position}`) };
}

const straight = NAMES.map((_, index) => index);

const CASES: { name: string; header: string[]; drift?: DriftMode; result: unknown }[] = [
  {
    name: "maps the header as written",
    header: [...NAMES],
    result: { positions: straight, extras: [] },
  },
  {
    name: "maps columns in any order",
    header: NAMES.toReversed(),
    result: { positions: straight.toReversed(), extras: [] },
  },
  {
    name: "ignores letter case, blanks and separators",
    header: NAMES.map((name, index) =>
      index % 2 === 0 ? ` ${name.toUpperCase()} ` : name.replaceAll("_", index % 3 ? " " : "-")
    ),
    result: { positions: straight, extras: [] },
  },
  {
    name: "maps aliases",
    header: NAMES.map((name) => ({ event_time: "Timestamp", quantity: "qty" })[name] ?? name),
    result: { positions: straight, extras: [] },
  },
  {
    name: "prefers a column's name to its aliases",
    header: ["sku", ...NAMES],
    result: { positions: straight.map((position) => position + 1), extras: ["sku@0"] },
  },
  {
    name: "lets columns be absent that may be empty",
    header: NAMES.filter((name) => !["category", "brand", "order_id"].includes(name)),
    result: { positions: [0, 1, 2, 3, 4, 5, 6, -1, -1, 7, 8, 9, -1, 10, 11], extras: [] },
  },
  {
    name: "keeps unknown columns, also without a name, when drift is rescue",
    header: [...NAMES, " Coupon", ""],
    result: { positions: straight, extras: ["Coupon@15", "column_17@16"] },
  },
  {
    name: "drops unknown columns when drift is ignore",
    header: [...NAMES, "coupon", "coupon"],
    drift: "ignore",
    result: { positions: straight, extras: [] },
  },
  {
    name: "fails on unknown columns when drift is fail",
    header: [...NAMES, "coupon", "campaign"],
    drift: "fail",
    result: {
      code: "unexpected_column",
      columns: ["coupon", "campaign"],
      seen: [...NAMES, "coupon", "campaign"],
    },
  },
  {
    name: "fails when a required column is missing",
    header: NAMES.filter((name) => name !== "price" && name !== "country"),
    result: {
      code: "missing_column",
      columns: ["price", "country"],
      seen: NAMES.filter((name) => name !== "price" && name !== "country"),
    },
  },
  {
    name: "guesses which unknown column is a missing one misspelt, and takes no known one for it",
    header: NAMES.flatMap((name) =>
      name === "event_time" ? [] : name === "quantity" ? ["Quantitty"] : [name]
    ),
    result: {
      code: "missing_column",
      columns: ["event_time", "quantity"],
      seen: NAMES.flatMap((name) =>
        name === "event_time" ? [] : name === "quantity" ? ["Quantitty"] : [name]
      ),
      misspelt: [{ column: "quantity", by: "Quantitty" }],
    },
  },
  {
    name: "fails when a column is there twice",
    header: [...NAMES, "Price"],
    result: { code: "duplicate_column", columns: ["price"], seen: [...NAMES, "Price"] },
  },
  {
    name: "fails when two aliases mean one column",
    header: [...NAMES.filter((name) => name !== "product_id"), "sku", "item_id"],
    result: {
      code: "duplicate_column",
      columns: ["product_id"],
      seen: [...NAMES.filter((name) => name !== "product_id"), "sku", "item_id"],
    },
  },
  {
    name: "fails when an unknown column to be kept is there twice",
    header: [...NAMES, "note", "note "],
    result: { code: "duplicate_column", columns: ["note"], seen: [...NAMES, "note", "note "] },
  },
];

for (const { name, header, drift, result } of CASES) {
  Deno.test({
    name: `mapHeader() ${name}`,
    permissions: "none",
    fn() {
      assert.deepEqual(map(header, drift), result);
    },
  });
}

Deno.test({
  name: "mapHeader() names the columns of another contract",
  permissions: "none",
  fn() {
    const fault = map(["order_no", "customer name", "total"]);
    assert.ok("code" in fault);
    assert.equal(fault.code, "header_not_recognised");
    assert.deepEqual(fault.seen, ["order_no", "customer name", "total"]);
    assert.equal(fault.columns?.[0], "event_id");
  },
});

Deno.test({
  name: "mapHeader() never repeats a first line that may hold data",
  permissions: "none",
  fn() {
    const lines = [
      ["019c1234-5678-7abc-8def-0123456789ab", "2026-01-30T08:15:30Z", "purchase", "u-1001"],
      ["the password of the shop is swordfish"],
      ["Dear customer", "we would like to tell you all about it"],
      ["alice", "alice@example.org", "secret"],
      ["%PDF-1.7", "x"],
      [],
    ];
    for (const line of lines) {
      const fault = map(line);
      assert.ok("code" in fault);
      assert.equal(fault.code, "header_not_recognised");
      assert.equal(fault.seen, undefined);
    }
  },
});

Deno.test({
  name: "mapHeader() keeps a fault small",
  permissions: "none",
  fn() {
    const header = [...NAMES, ...Array.from({ length: 900 }, (_, index) => `c${index}`)];
    const fault = map([...header, "x".repeat(100_000)], "fail");
    assert.ok(JSON.stringify(fault).length < 3_000);
  },
});
