import assert from "node:assert/strict";
import { csv, event, type TestEvent } from "../activities/_events.ts";
import { claim, ingest, ingestUnfinished, unload } from "../activities/_ingest.ts";
import { type Warehouse, warehouse } from "../activities/_warehouse.ts";
import { waitFor } from "../harness.ts";

/** `count` events in each of the months from November 2025 to January 2026. */
function threeMonths(count: number, from = 0): TestEvent[] {
  return ["2025-11-07", "2025-12-08", "2026-01-09"].flatMap((day, month) =>
    Array.from({ length: count }, (_, index) =>
      event(from + month * count + index, {
        event_time: `${day}T10:${String(index % 60).padStart(2, "0")}:00Z`,
      }))
  );
}

Deno.test("shop.drop_events_before() drops whole months, and keeps keys and rollups", async () => {
  await using house = await warehouse();
  const { fileId } = await ingest(house, await house.land("a.csv", csv(threeMonths(10))));
  const before = await counts(house);
  await drop(house, "2026-01-01");
  const after = await counts(house);
  assert.deepEqual(after, { ...before, events: 10, partitions: before.partitions - 3 });
  assert.deepEqual(await house.violations(), []);

  const late = [...threeMonths(10), ...threeMonths(5, 100)];
  const result = await ingest(house, await house.land("late.csv", csv(late)));
  assert.deepEqual([result.loaded, result.duplicates, result.rejected], [5, 10, 30]);
  assert.deepEqual(await house.violations(), []);

  await unload(house, fileId);
  assert.deepEqual(await house.violations(), []);
  assert.equal((await counts(house)).events, 15, "ten were handed over to the later file");
});

Deno.test("shop.drop_events_before() may be repeated, and never moves the horizon back", async () => {
  await using house = await warehouse();
  await ingest(house, await house.land("a.csv", csv(threeMonths(2))));
  await drop(house, "2025-12-01");
  await drop(house, "2026-01-01");
  await drop(house, "2026-01-01");
  await drop(house, "2025-11-01");
  const [row] = await house.admin<{ at: Date }[]>`select events_from as at from ingest.horizon`;
  assert.equal(row?.at.toISOString(), "2026-01-01T00:00:00.000Z");
  assert.equal((await counts(house)).events, 2);
});

Deno.test("shop.drop_events_before() refuses dates that are no month's first, or lie ahead", async () => {
  await using house = await warehouse();
  for (
    const [date, message] of [
      ["2026-01-02", /expected the first day of a month/],
      [null, /expected the first day of a month/],
      ["2019-05-01", /all months before 2020 are kept as one/],
      ["2999-01-01", /lies in the future/],
    ] as const
  ) await assert.rejects(drop(house, date), { code: "22023", message });
});

Deno.test("shop.drop_events_before() refuses while a file with such events is not settled, and names it", async () => {
  await using house = await warehouse();
  const job = await house.job(await house.land("a.csv", csv(threeMonths(10))));
  const claimed = await claim(house, job);
  await house.run("loadSpan", job, { claim: claimed, firstChunk: 0, endChunk: 1 });
  await assert.rejects(drop(house, "2025-12-01"), {
    code: "55000",
    message: new RegExp(`file ${claimed.fileId} \\(loading\\) is not settled`),
  });
  assert.equal((await counts(house)).events > 0, true);
  await ingestUnfinished(house);
  await drop(house, "2025-12-01");
  assert.equal((await counts(house)).events, 20);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("shop.drop_events_before() lets a reader finish, then drops", async () => {
  await using house = await warehouse();
  await ingest(house, await house.land("a.csv", csv(threeMonths(3))));
  const begun = Promise.withResolvers<void>();
  const reading = Promise.withResolvers<void>();
  const reader = house.admin.begin(async (tx) => {
    await tx`select count(*) from shop.events`;
    begun.resolve();
    await reading.promise;
  });
  await begun.promise;
  const dropping = drop(house, "2026-01-01");
  // Ended before the connections are, whatever fails in between: else their end would hide it.
  await using _ended = {
    async [Symbol.asyncDispose]() {
      reading.resolve();
      await Promise.allSettled([reader, dropping]);
    },
  };
  await waitFor(async () => {
    const [row] = await house.admin`
      select count(*)::int as waiting from pg_locks l join pg_class c on c.oid = l.relation
      where not l.granted and c.relname like 'events%'`;
    return row?.waiting > 0;
  }, { what: "the drop to wait for the reader" });
  // Others are not held up for longer than a moment by the one that waits.
  const loaded = await ingest(house, await house.land("b.csv", csv(threeMonths(3, 50).slice(6))));
  assert.equal(loaded.loaded, 3);
  reading.resolve();
  await Promise.all([reader, dropping]);
  assert.equal((await counts(house)).events, 6);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("shop.drop_events_before() and loads of the same months do not lose or double any", async () => {
  await using house = await warehouse();
  const loads = Array.from({ length: 8 }, async (_, index) => {
    const path = await house.land(`${index}.csv`, csv(threeMonths(20, index * 60)));
    return await ingest(house, path);
  });
  const drops = ["2025-12-01", "2026-01-01"].map((date) =>
    waitFor(() => drop(house, date).then(() => true, () => false), { what: `the drop of ${date}` })
  );
  const results = await Promise.all(loads);
  await Promise.all(drops);
  assert.ok(results.every(({ state }) => state === "loaded"));
  assert.equal((await counts(house)).events, 8 * 20);
  assert.deepEqual(await house.violations(), []);
});

async function drop({ admin }: Warehouse, date: string | null): Promise<void> {
  await admin`call shop.drop_events_before(${date}::date)`;
}

async function counts({ admin }: Warehouse) {
  const [row] = await admin<
    { events: number; keys: number; minutes: number; products: number; partitions: number }[]
  >`
    select (select count(*)::int from shop.events) as events,
           (select count(*)::int from ingest.event_keys) as keys,
           (select sum(events)::int from shop.minute_rollup) as minutes,
           (select sum(views + carts + removals + purchases)::int from shop.product_rollup) as products,
           (select count(*)::int from pg_inherits where inhparent = 'shop.events'::regclass) as partitions`;
  return { ...row! };
}
