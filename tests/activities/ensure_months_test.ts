import assert from "node:assert/strict";
import { openDatabase } from "../../activities/database.ts";
import { ensureMonths, forgetMonths } from "../../activities/statements/ensure_months.ts";
import { csv, event, events } from "./_events.ts";
import { ingest } from "./_ingest.ts";
import { type Warehouse, warehouse } from "./_warehouse.ts";

Deno.test("ensureMonths() makes the months of a file on demand", async () => {
  await using house = await warehouse();
  const times = [
    "2005-06-07T08:09:10Z",
    "2019-12-31T23:59:59.999999Z",
    "2020-01-01T00:00:00Z",
    "2024-02-29T12:00:00Z",
    "2025-12-31T23:30:00-01:00",
  ];
  const rows = times.map((event_time, n) => event(n, { event_time }));
  const result = await ingest(house, await house.land("a.csv", csv(rows)));
  assert.equal(result.loaded, times.length);
  const found = await house.admin`
    select tableoid::regclass::text as partition, count(*)::int as events
    from shop.events group by 1 order by 1`;
  assert.deepEqual(found.map((row) => [row.partition, row.events]), [
    ["shop.events_2020_01", 1],
    ["shop.events_2024_02", 1],
    ["shop.events_2026_01", 1],
    ["shop.events_before_2020_01", 2],
  ]);
  const uncommented = await house.admin`
    select relname from pg_class
    where relnamespace = 'shop'::regnamespace and relkind = 'r'
      and obj_description(oid, 'pg_class') is null`;
  assert.equal(uncommented.length, 0);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("ensureMonths() lets eight connections make the same months at once", async () => {
  await using house = await warehouse();
  await using pools = await openPools(house, 8);
  const months = Array.from({ length: 24 }, (_, month) => Date.UTC(2022, month, 15) * 1000);
  await Promise.all(
    pools.list.map((sql, index) =>
      ensureMonths(
        sql,
        [...months.slice(index * 3), ...months.slice(0, index * 3)],
      )
    ),
  );
  const [row] = await house.admin`
    select count(*)::int as months from pg_inherits
    where inhparent = 'shop.events'::regclass and inhrelid::regclass::text like 'shop.events_202_\\___'`;
  assert.equal(row?.months, 24);
});

Deno.test("ensureMonths() does not disturb loads under way", async () => {
  await using house = await warehouse();
  await using pools = await openPools(house, 2);
  const loads = Array.from({ length: 12 }, async (_, month) => {
    const rows = events(month * 50, month * 50 + 50).map((row, index) => ({
      ...row,
      event_time: new Date(Date.UTC(2023, (month + index) % 12, 3)).toISOString(),
    }));
    return await ingest(house, await house.land(`${month}.csv`, csv(rows)));
  });
  const months = Array.from({ length: 36 }, (_, month) => Date.UTC(2020, month, 1) * 1000);
  await Promise.all([
    ...pools.list.map((sql) => ensureMonths(sql, months)),
    ...loads,
  ]);
  assert.deepEqual((await Promise.all(loads)).map(({ loaded }) => loaded), Array(12).fill(50));
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadSpan() makes a month again that was dropped meanwhile", async () => {
  await using house = await warehouse();
  await ingest(house, await house.land("a.csv", csv(events(0, 3))));
  await house.admin.unsafe(`
    alter table shop.events detach partition shop.events_2026_01;
    drop table shop.events_2026_01`);
  const result = await ingest(house, await house.land("b.csv", csv(events(10, 13))));
  assert.equal(result.loaded, 3);
  forgetMonths(house.deps.sql);
});

Deno.test("shop.ensure_month() leaves dropped months alone", async () => {
  await using house = await warehouse();
  await house.admin`update ingest.horizon set events_from = '2024-03-01 00:00:00+00'`;
  const rows = [
    event(1, { event_time: "2024-02-29T23:59:59Z" }),
    event(2, { event_time: "2024-03-01T00:00:00Z" }),
  ];
  const result = await ingest(house, await house.land("a.csv", csv(rows)));
  assert.deepEqual([result.loaded, result.rejected], [1, 1]);
  const [found] = await house.admin`
    select to_regclass('shop.events_2024_02') as dropped, to_regclass('shop.events_2024_03') as kept`;
  assert.deepEqual({ ...found }, { dropped: null, kept: "shop.events_2024_03" });
});

Deno.test("shop.ensure_month() refuses months that no valid event can be in", async () => {
  await using house = await warehouse();
  const refused = house.deps.sql`select shop.ensure_month((now() + interval '3 months')::date)`;
  await assert.rejects(async () => await refused, { code: "22008" });
});

async function openPools(house: Warehouse, count: number) {
  const list = Array.from({ length: count }, () => openDatabase(house.url, "ingest", { max: 1 }));
  await Promise.all(list.map((sql) => sql`select 1`));
  return {
    list,
    [Symbol.asyncDispose]: async () =>
      void await Promise.all(list.map((sql) => sql.end({ timeout: 1 }))),
  };
}
