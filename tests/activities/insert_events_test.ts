import assert from "node:assert/strict";
import { csv, csvOf, event, line } from "./_events.ts";
import { ingest } from "./_ingest.ts";
import { warehouse } from "./_warehouse.ts";

Deno.test("insertEvents() stores any text as it is", async () => {
  await using house = await warehouse();
  const texts = [
    `"quoted"`,
    `back\\slash \\. \\N \\x41`,
    `{braces}, commas, {"json": [1]}`,
    `two\nlines\r\nand\ta tab`,
    "NULL",
    "null",
    "Ünïcødé 🛒 漢字 \u202e\u0301",
    "'; drop table shop.events; --",
    "$1 %s ${x}",
    " leading and trailing ",
  ];
  const rows = texts.map((product_name, n) => event(n, { product_name, category: "", brand: "" }));
  const result = await ingest(house, await house.land("a.csv", csv(rows)));
  assert.deepEqual([result.loaded, result.rejected], [texts.length, 0]);
  const stored = await house.admin`
    select product_name, category, brand from shop.events order by event_id`;
  assert.deepEqual(
    stored.map((row) => [row.product_name, row.category, row.brand]),
    texts.map((text) => [text, "", ""]),
  );
  assert.deepEqual(await house.violations(), []);
});

Deno.test("insertEvents() stores every column as the contract says", async () => {
  await using house = await warehouse();
  const purchase = event(5, {
    event_time: "2026-01-05T13:30:00.123456+01:00",
    price: "0.1",
    quantity: "3",
    currency: "JPY",
    country: "FR",
  });
  await ingest(house, await house.land("a.csv", csv([purchase])));
  const [row] = await house.admin`
    select event_id, event_time::text as event_time, event_type, user_id, session_id, product_id,
           product_name, category, brand, price::text as price, currency, quantity, order_id, device,
           country, file_id::int as file_id, line_number, extras
    from shop.events`;
  assert.deepEqual({ ...row }, {
    ...purchase,
    event_time: "2026-01-05 12:30:00.123456+00",
    price: "0.10",
    quantity: 3,
    file_id: 1,
    line_number: 2,
    extras: null,
  });
  const [rollup] = await house.admin`
    select minute::text as minute, events::int as events, quantity::int as quantity, revenue
    from shop.minute_rollup`;
  assert.deepEqual({ ...rollup }, {
    minute: "2026-01-05 12:30:00+00",
    events: 1,
    quantity: 3,
    revenue: "0.30",
  });
});

Deno.test("insertEvents() stores the columns that the contract does not know", async () => {
  await using house = await warehouse();
  const text = csvOf(line(event(1)), line(event(2))).trimEnd().split("\n")
    .map((row, index) => `${row},${["weird \\ {name}", `"a ""b"" \\u0000 ü,{"`, ""][index]}`)
    .join("\n");
  await ingest(house, await house.land("a.csv", text));
  const rows = await house.admin`select extras from shop.events order by event_id`;
  assert.deepEqual(rows.map(({ extras }) => extras), [
    { "weird \\ {name}": `a "b" \\u0000 ü,{` },
    null,
  ]);
});
