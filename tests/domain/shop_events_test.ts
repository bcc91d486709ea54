import assert from "node:assert/strict";
import { COUNTRIES, CURRENCIES, WITHDRAWN_CURRENCIES } from "../../domain/_iso_codes.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";

Deno.test({
  name: "SHOP_EVENTS has the columns and types of version 1",
  permissions: "none",
  fn() {
    const columns = SHOP_EVENTS.columns.map(({ name, postgresType, required, nullable }) =>
      `${name} ${postgresType}${required ? " required" : ""}${nullable ? " nullable" : ""}`
    );
    assert.equal(SHOP_EVENTS.version, 1);
    assert.deepEqual(columns, [
      "event_id uuid required",
      "event_time timestamptz required",
      "event_type text required",
      "user_id text required",
      "session_id uuid required",
      "product_id text required",
      "product_name text required",
      "category text",
      "brand text",
      "price numeric(12,2) required",
      "currency char(3) required",
      "quantity integer required",
      "order_id uuid nullable",
      "device text required",
      "country char(2) required",
    ]);
  },
});

Deno.test({
  name: "SHOP_EVENTS names no header alias twice",
  permissions: "none",
  fn() {
    const names = SHOP_EVENTS.columns.flatMap(({ name, headerAliases }) => [
      name,
      ...headerAliases,
    ]);
    assert.equal(new Set(names).size, names.length);
  },
});

Deno.test({
  name: "SHOP_EVENTS value aliases are lower case and mean allowed values",
  permissions: "none",
  fn() {
    for (const { values = [], valueAliases = {} } of SHOP_EVENTS.columns) {
      for (const [alias, value] of Object.entries(valueAliases)) {
        assert.equal(alias, alias.toLowerCase());
        assert.ok(values.includes(value));
        assert.ok(!values.includes(alias));
      }
    }
  },
});

Deno.test({
  name: "ISO code lists are complete and without repetition",
  permissions: "none",
  fn() {
    assert.equal(new Set(COUNTRIES).size, 249);
    assert.equal(COUNTRIES.length, 249);
    assert.equal(CURRENCIES.length, 178);
    const all = [...CURRENCIES, ...WITHDRAWN_CURRENCIES];
    assert.equal(new Set(all).size, all.length);
    assert.ok(COUNTRIES.every((code) => /^[A-Z]{2}$/.test(code)));
    assert.ok(all.every((code) => /^[A-Z]{3}$/.test(code)));
  },
});
