import assert from "node:assert/strict";
import { openDatabase } from "../../activities/database.ts";
import { csv, event, events } from "../activities/_events.ts";
import { ingest, unload } from "../activities/_ingest.ts";
import { type Warehouse, warehouse } from "../activities/_warehouse.ts";

Deno.test("shop.fold_rollups() moves deltas into the base, and says how many", async () => {
  await using house = await warehouse();
  await ingest(house, await house.land("a.csv", csv(events(0, 20))));
  const before = await rollup(house);
  const deltas = await countDeltas(house);
  assert.ok(deltas >= 40);
  assert.equal(await fold(house), deltas);
  assert.deepEqual(await rollup(house), before);
  assert.equal(await countDeltas(house), 0);
  assert.equal(await fold(house), 0);
});

Deno.test("shop.fold_rollups() takes so many deltas at once, and shop.count_deltas() says what waits", async () => {
  await using house = await warehouse();
  await house.admin`
    insert into shop.minute_rollup_delta
    select '2026-01-05 12:00:00+00', 'purchase', '', 'mobile', 'EUR', 1, 2, 3 from generate_series(1, 200001)`;
  const waiting = async () =>
    (await house.deps.sql<{ deltas: number }[]>`select shop.count_deltas() as deltas`)[0]?.deltas;
  assert.equal(await waiting(), 200_001);
  assert.equal(await fold(house), 200_000);
  assert.equal(await waiting(), 1);
  assert.equal(await fold(house), 1);
  const [group] = await rollup(house);
  assert.equal(Number(group?.events), 200_001);
});

// Large loads leave the bases empty, and the plan that was made for these stays.
Deno.test("shop.fold_rollups() looks groups up by their key, also in bases that were known to be empty", async () => {
  await using house = await warehouse();
  await house.admin.begin(async (tx) => {
    await tx`analyze shop.minute_rollup_base, shop.product_rollup_base`;
    // PostgreSQL makes up to five plans for the values at hand before it keeps one for all.
    for (let time = 0; time < 10; time++) await tx`select shop.fold_rollups()`;
    for (let time = 0; time < 3; time++) {
      await tx`
        insert into shop.minute_rollup_delta
        select '2026-01-05 12:00:00+00', 'purchase', 'c' || n, 'mobile', 'EUR', 1, 2, 3 from generate_series(1, 1000) n`;
      await tx`
        insert into shop.product_rollup_delta
        select '2026-01-05 12:00:00+00', 'p' || n, 'EUR', 1, 0, 0, 1, 2, 3 from generate_series(1, 1000) n`;
      await tx`select shop.fold_rollups()`;
    }
    const reads = await tx`
      select relname, seq_tup_read::int as rows from pg_stat_xact_user_tables
      where schemaname = 'shop' and relname like '%_rollup_base' order by relname`;
    assert.deepEqual([...reads], [
      { relname: "minute_rollup_base", rows: 0 },
      { relname: "product_rollup_base", rows: 0 },
    ]);
  });
});

Deno.test("shop.fold_rollups() removes groups that an unload brought to zero", async () => {
  await using house = await warehouse();
  const { fileId } = await ingest(house, await house.land("a.csv", csv(events(0, 20))));
  await fold(house);
  await unload(house, fileId);
  await fold(house);
  for (const base of ["shop.minute_rollup_base", "shop.product_rollup_base"]) {
    assert.equal((await house.admin.unsafe(`select from ${base}`)).length, 0, base);
  }
});

// Space that was freed is used anew: deltas lie in any order, and a batch may take the end of a story first.
Deno.test("shop.fold_rollups() keeps groups whose first delta comes in a later batch", async () => {
  await using house = await warehouse();
  const purchase = (n: number, quantity: string) =>
    csv([
      event(n, { event_time: event(0).event_time!, product_id: "P-0", price: "1.00", quantity }),
    ]);
  const { fileId } = await ingest(house, await house.land("a.csv", purchase(0, "5")));
  await unload(house, fileId);
  await ingest(house, await house.land("b.csv", purchase(5, "1")));
  await house.admin.unsafe(`
    create temporary table first_minute as select * from shop.minute_rollup_delta where quantity = 5;
    create temporary table first_hour as select * from shop.product_rollup_delta where quantity = 5;
    delete from shop.minute_rollup_delta where quantity = 5;
    delete from shop.product_rollup_delta where quantity = 5;
    insert into shop.minute_rollup_delta
    select '2026-01-06', 'product_view', '', 'mobile', 'EUR', 2 * (i % 2) - 1, 0, 0
    from generate_series(1, 199998) i;
    insert into shop.product_rollup_delta
    select '2026-01-06', 'P-1', 'EUR', 2 * (i % 2) - 1, 0, 0, 0, 0, 0 from generate_series(1, 199998) i;
    insert into shop.minute_rollup_delta select * from first_minute;
    insert into shop.product_rollup_delta select * from first_hour;`);
  assert.deepEqual(await house.violations(), []);
  assert.equal(await fold(house), 400_000);
  assert.deepEqual(await house.violations(), []);
  assert.equal(await fold(house), 2);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("shop.fold_rollups() neither waits for a load nor holds one up", async () => {
  await using house = await warehouse({ chunkBytes: 1_000_000 });
  // Loads and folds share all groups.
  const rows = (from: number) =>
    events(from, from + 200).map((row) => ({ ...row, event_time: event(1).event_time! }));
  await using folders = await openFolders(house, 3);
  const loads = Array.from(
    { length: 20 },
    async (_, index) =>
      await ingest(house, await house.land(`${index}.csv`, csv(rows(index * 200)))),
  );
  const loading = Promise.all(loads).then(() => "done");
  const folded = await Promise.all(folders.list.map(async (sql) => {
    let deltas = 0;
    do {
      const [row] = await sql<{ deltas: number }[]>`select shop.fold_rollups()::int as deltas`;
      deltas += row?.deltas ?? 0;
    } while (await Promise.race([loading, Promise.resolve("loading")]) !== "done");
    return deltas;
  }));
  await loading;
  const appended = folded.reduce((sum, deltas) => sum + deltas, 0) + await countDeltas(house);
  const groups = await rollup(house);
  assert.ok(appended >= groups.length);
  assert.equal(groups.reduce((sum, group) => sum + Number(group.events), 0), 20 * 200);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("shop.fold_rollups() leaves everything to the folder that is at work", async () => {
  await using house = await warehouse();
  await ingest(house, await house.land("a.csv", csv(events(0, 20))));
  await house.admin.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(hashtext('shop.fold_rollups'))`;
    assert.equal(await fold(house), 0);
  });
  assert.ok(await fold(house) > 0);
});

Deno.test("shop.fold_rollups() leaves what was copied where it is", async () => {
  await using house = await warehouse({ leastRowsToCopy: 1 });
  const { fileId } = await ingest(house, await house.land("a.csv", csv(events(0, 20))));
  const before = await rollup(house);
  assert.equal(await fold(house), 0);
  assert.deepEqual(await rollup(house), before);
  await unload(house, fileId);
  assert.deepEqual(await rollup(house), []);
  assert.ok(await fold(house) > 0);
  assert.deepEqual(await rollup(house), []);
  assert.deepEqual(await house.violations(), []);
  // The two balance for good, and more comes on top.
  const again = csv([...events(0, 20), event(20)]);
  await ingest(house, await house.land("b.csv", again));
  await ingest(house, await house.land("c.csv", csv(events(21, 30))));
  await fold(house);
  assert.deepEqual((await rollup(house)).slice(0, before.length), before);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("shop.summarize_copies() makes copied pages known once, beside a load under way", async () => {
  await using house = await warehouse();
  const { admin, deps: { sql } } = house;
  const summarize = async () =>
    (await sql<{ ranges: number }[]>`select shop.summarize_copies() as ranges`)[0]?.ranges;
  assert.equal(await summarize(), 0);
  const copy = (tx: { unsafe: typeof sql.unsafe }) =>
    tx.unsafe(`
      insert into shop.minute_rollup_bulk
      select '2026-01-05'::timestamptz + i * interval '1 minute', 'purchase', '', 'mobile', 'EUR', 1, 1, 1
      from generate_series(1, 10000) i`);
  await copy(admin);
  assert.ok((await summarize())! > 0);
  assert.equal(await summarize(), 0);
  await admin.begin(async (tx) => {
    await copy(tx);
    // What has not committed is there to be known as well, and the load goes on.
    assert.ok((await summarize())! > 0);
    await copy(tx);
  });
  const [row] = await admin`
    select count(*)::int as rows from shop.minute_rollup_bulk
    where minute >= '2026-01-05 10:00+00' and minute < '2026-01-05 11:00+00'`;
  assert.equal(row?.rows, 3 * 60);
});

Deno.test("shop.summarize_copies() gives up before it would end a vacuum at work", async () => {
  await using house = await warehouse();
  const { admin } = house;
  const [setting] = await admin`
    select extract(epoch from current_setting('deadlock_timeout')::interval) * 1000 > 200 as longer`;
  assert.equal(setting?.longer, true);
  await admin.begin(async (tx) => {
    // What a vacuum locks.
    await tx`lock table shop.minute_rollup_bulk in share update exclusive mode`;
    await assert.rejects(house.deps.sql`select shop.summarize_copies()`.execute(), {
      code: "55P03",
    });
  });
});

async function fold({ deps: { sql } }: Warehouse): Promise<number> {
  const [row] = await sql<{ deltas: number }[]>`select shop.fold_rollups() as deltas`;
  return row?.deltas ?? 0;
}

async function countDeltas({ admin }: Warehouse): Promise<number> {
  const [row] = await admin<{ deltas: number }[]>`
    select (select count(*) from shop.minute_rollup_delta)::int +
           (select count(*) from shop.product_rollup_delta)::int as deltas`;
  return row?.deltas ?? 0;
}

async function rollup({ admin }: Warehouse) {
  const rows = await admin`
    select minute, event_type, category, device, currency, events, quantity, revenue
    from shop.minute_rollup order by 1, 2, 3, 4, 5`;
  return rows.map((row) => ({ ...row }) as Record<string, unknown>);
}

async function openFolders(house: Warehouse, count: number) {
  const list = Array.from({ length: count }, () => openDatabase(house.url, "ingest", { max: 1 }));
  await Promise.all(list.map((sql) => sql`select 1`));
  return {
    list,
    [Symbol.asyncDispose]: async () =>
      void await Promise.all(list.map((sql) => sql.end({ timeout: 1 }))),
  };
}
