import assert from "node:assert/strict";
import { LEAST_ROWS_TO_COPY } from "../../activities/statements/load_chunk.ts";
import { waitFor } from "../harness.ts";
import { NAMES } from "../domain/_shop_event.ts";
import { csv, csvOf, event, eventId, events, line, type TestEvent } from "./_events.ts";
import { claim, ingest, unload } from "./_ingest.ts";
import { totals } from "./_totals.ts";
import { type Warehouse, warehouse } from "./_warehouse.ts";

/** Enough records for a chunk that is copied. */
const ENOUGH = LEAST_ROWS_TO_COPY;
const COPYING = { chunkBytes: 4_000_000 };

const TEXTS = [
  `"quoted"`,
  `back\\slash \\. \\N \\x41 \\`,
  `{braces}, commas, {"json": [1]}`,
  `two\nlines\r\nand\ta tab`,
  "\\N",
  "\\.",
  "Ünïcødé 🛒 漢字 \u202e\u0301",
  " leading and trailing ",
];

Deno.test("loadChunk() stores the same by COPY as by insert", async () => {
  const odd = TEXTS.flatMap((text, n) => [
    event(ENOUGH + 2 * n, { product_name: text, category: text, brand: "", product_id: text }),
    event(ENOUGH + 2 * n + 1, { product_name: text, category: "", user_id: text, brand: text }),
  ]);
  const large = { price: "9999999999.99", quantity: "1000", product_id: "P-1" };
  const busy = Array.from({ length: 30 }, (_, n) => event(ENOUGH + 100 + 1440 * n, large));
  const plain = csv([...events(0, ENOUGH), ...odd, ...busy]);
  const extras = csvOf(line(event(ENOUGH + 50)), line(event(ENOUGH + 51))).trimEnd().split("\n")
    .map((row, index) => `${row},${["weird \\ {name}", `"a ""b"" \\u0000 \\N ü,{"`, ""][index]}`)
    .join("\n");

  // Other spellings of what the contract takes, in a file of another order and dialect.
  const spellings = [
    { event_time: "2026-01-05T12:30:00.120000Z" },
    { event_time: "2026-01-05t12:30:00.120z" },
    { event_time: "2026-01-05 13:30:00.5+01:00" },
    { event_id: eventId(9_000_003).toUpperCase() },
    { price: "007.5" },
    { price: "7" },
    { event_type: "view", quantity: "01", order_id: "" },
    { device: "PHONE", country: "uk", currency: "eur" },
    { category: "", brand: "" },
  ];
  const spelt = spellings.map((changes, n) =>
    event(
      9_000_000 + n,
      changes.event_type ? { ...event(1), event_id: eventId(9_000_000 + n), ...changes } : changes,
    )
  );
  const reversed = [...NAMES].reverse();
  const cellsOf = (event: TestEvent) => reversed.map((name) => event[name]!);
  const dialect = [
    reversed.join(";"),
    ...spelt.map((event) => cellsOf(event).join(";")),
    ...events(ENOUGH + 60_000, 2 * ENOUGH + 60_000).map((event, n) =>
      cellsOf({ ...event, brand: n % 3 === 0 ? `6" nail` : event.brand! })
        .map((cell) => n % 2 === 0 ? `"${cell.replaceAll('"', '""')}"` : cell).join(";")
    ),
  ].join("\r\n");

  const stored = await Promise.all([{}, COPYING].map(async (changes) => {
    await using house = await warehouse(changes);
    await ingest(house, await house.land("plain.csv", plain));
    await ingest(house, await house.land("extras.csv", extras));
    await ingest(house, await house.land("dialect.csv", dialect));
    assert.deepEqual([...await house.admin`select faults from ingest.rejects`], []);
    assert.deepEqual(await house.violations(), []);
    return {
      events: await house.admin`
        select to_jsonb(e) - 'processed_at' as event from shop.events e order by event_id`,
      keys: await house.admin`select k.* from ingest.event_keys k order by event_id`,
      minutes: await house.admin`
        select r.* from shop.minute_rollup r order by minute, event_type, category, device`,
      products: await house.admin`
        select r.* from shop.product_rollup r order by hour, product_id, currency`,
    };
  }));
  assert.equal(stored[0]?.events.length, 2 * ENOUGH + odd.length + busy.length + 2 + spelt.length);
  assert.deepEqual(stored[1], stored[0]);
});

Deno.test("loadChunk() copies what is new, and asks when something is not", async () => {
  await using house = await warehouse(COPYING);
  const first = events(0, ENOUGH);
  await ingest(house, await house.land("a.csv", csv(first)));
  const second = [
    event(3),
    ...events(ENOUGH, 2 * ENOUGH),
    event(5, { price: "3.33" }),
    event(ENOUGH + 1),
  ];
  const result = await ingest(house, await house.land("b.csv", csv(second)));
  assert.deepEqual([result.loaded, result.duplicates, result.rejected], [ENOUGH, 2, 1]);
  assert.deepEqual(await totals(house), {
    events: 2 * ENOUGH,
    keys: 2 * ENOUGH,
    rolledUp: 2 * ENOUGH,
    openChunks: 0,
  });
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() tries to copy one chunk of a file of old events, not each", async () => {
  await using house = await warehouse(COPYING);
  const text = csv(events(0, 4 * ENOUGH));
  await ingest(house, await house.land("a.csv", text));
  house.deps.chunkBytes = Math.ceil(text.length / 3.5);
  let transactions = 0;
  house.deps.hooks = { beforeChunkTransaction: () => Promise.resolve(void transactions++) };
  const job = await house.job(await house.land("b.csv", `${text}${line(event(4 * ENOUGH))}`));
  const claimed = await claim(house, job);
  const span = { claim: claimed, firstChunk: 0, endChunk: claimed.chunks };
  const counts = await house.run("loadSpan", job, span);
  assert.deepEqual([counts.loaded, counts.duplicates], [1, 4 * ENOUGH]);
  assert.equal(transactions, claimed.chunks + 1);
});

Deno.test("loadChunk() rejects what is older than the horizon among rows to copy", async () => {
  await using house = await warehouse(COPYING);
  await house.admin`update ingest.horizon set events_from = '2026-01-01 00:00:00+00'`;
  const old = event(ENOUGH, { event_time: "2025-12-31T23:59:59Z" });
  const bad = event(ENOUGH + 1, { price: "x" });
  const text = csv([...events(0, ENOUGH), old, bad]);
  const result = await ingest(house, await house.land("a.csv", text));
  assert.deepEqual([result.loaded, result.rejected], [ENOUGH, 2]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() copies each chunk once when two attempts of one epoch meet", async () => {
  await using house = await warehouse(COPYING);
  const job = await house.job(await house.land("a.csv", csv(events(0, ENOUGH))));
  const claimed = await claim(house, job);
  const span = { claim: claimed, firstChunk: 0, endChunk: claimed.chunks };
  let open = () => {};
  const opened = new Promise<void>((resolve) => open = resolve);
  let arrived = 0;
  const beforeChunkTransaction = () => (++arrived === 2 ? open() : undefined, opened);
  house.deps.hooks = { beforeChunkTransaction };
  const both = [house.run("loadSpan", job, span), house.run("loadSpan", job, span)];
  for (const counts of await Promise.all(both)) {
    assert.deepEqual(counts, { records: ENOUGH, loaded: ENOUGH, duplicates: 0, rejected: 0 });
  }
  // The later one has found the chunk committed, and did not go on to ask for each event.
  assert.equal(arrived, 2);
  const expected = { events: ENOUGH, keys: ENOUGH, rolledUp: ENOUGH, openChunks: 0 };
  assert.deepEqual(await totals(house), expected);
  await house.run("settleFile", job, claimed);
  assert.deepEqual(await house.violations(), []);
});

// No timeout of the server runs while it waits for rows: of a worker that stops there, few have to wait, and not for ever.
Deno.test("loadChunk() holds nothing that others wait for while it copies", async () => {
  await using house = await warehouse(COPYING);
  const job = await house.job(await house.land("a.csv", csv(events(0, ENOUGH))));
  const claimed = await claim(house, job);
  const span = { claim: claimed, firstChunk: 0, endChunk: claimed.chunks };
  // Nothing but the claim keeps the chunk out: it has no events in common with the other file.
  const other = await house.land("b.csv", csv(events(ENOUGH, ENOUGH + 20)));
  const interrupted = interruptLastCopy(house, {
    work: () => house.run("loadSpan", job, span),
    meanwhile: async () => {
      await ingest(house, other);
      await house.admin.begin(async (tx) => {
        await tx`set local lock_timeout = '1s'`;
        await tx`select from ingest.chunks for update`;
        await tx`update ingest.files set epoch = epoch + 1 where file_id = ${claimed.fileId}`;
      });
      // What a migration begins with: it may wait here, and nowhere later.
      const migration = house.admin.begin(async (tx) => {
        await tx`set local lock_timeout = '200ms'`;
        await tx`lock table ingest.files in exclusive mode`;
      });
      await assert.rejects(migration, { code: "55P03" });
      // The horizon that the rows were held against stays where it is.
      const retention = house.admin.begin(async (tx) => {
        await tx`set local lock_timeout = '200ms'`;
        await tx`select from ingest.horizon for update`;
      });
      await assert.rejects(retention, { code: "55P03" });
    },
  });
  await assert.rejects(interrupted, { type: "StaleClaim" });
  assert.deepEqual(await totals(house), { events: 20, keys: 20, rolledUp: 20, openChunks: 1 });
});

Deno.test("loadChunk() copies of each period what two chunks bring, the rest as deltas", async () => {
  await using house = await warehouse(COPYING);
  const land = async (name: string, from: number, minute: string) => {
    const time = { event_time: `2026-01-05T${minute}:30Z` };
    const rows = events(from, from + ENOUGH).map((row) => ({ ...row, ...time }));
    return await ingest(house, await house.land(name, csv(rows)));
  };
  const first = await land("a.csv", 0, "10:00");
  await land("b.csv", ENOUGH, "10:01");
  assert.deepEqual(await parts(house), {
    ...{ bulk: ["10:00", "10:01"], base: [], deltas: [] },
    ...{ bulkHours: ["10 2"], hourDeltas: 0 },
  });
  // Of the minute there is not enough yet, of its hour there is.
  await land("c.csv", 2 * ENOUGH, "10:00");
  const third = { bulk: ["10:00", "10:01"], bulkHours: ["10 2"] };
  assert.deepEqual(await parts(house), { ...third, base: [], deltas: [], hourDeltas: 1 });
  await land("d.csv", 3 * ENOUGH, "10:00");
  assert.deepEqual(await parts(house), { ...third, base: [], deltas: ["10:00"], hourDeltas: 1 });
  assert.deepEqual(await house.violations(), []);
  await house.deps.sql`select shop.fold_rollups()`;
  const folded = { ...third, base: ["10:00"], deltas: [], hourDeltas: 0 };
  assert.deepEqual(await parts(house), folded);
  assert.deepEqual(await house.violations(), []);

  // What was copied of the file stays; what its end takes away goes the way of deltas.
  await unload(house, first.fileId);
  assert.deepEqual(await house.violations(), []);
  await house.deps.sql`select shop.fold_rollups()`;
  assert.deepEqual(await parts(house), folded);
  assert.equal((await totals(house)).rolledUp, 3 * ENOUGH);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() appends deltas of a file whose chunks all share their hours and minutes", async () => {
  await using house = await warehouse(COPYING);
  const rows = events(0, 6 * ENOUGH).map((row, n) => ({
    ...row,
    event_time: `2026-01-05T10:${n % 2 === 0 ? "00" : "01"}:30Z`,
  }));
  const text = csv(rows);
  house.deps.chunkBytes = Math.ceil(text.length / 5.5);
  const { fileId } = await ingest(house, await house.land("a.csv", text));
  const [chunks] = await house.admin`select count(*)::int as chunks from ingest.chunks`;
  assert.equal(chunks?.chunks, 6);
  const [most] = await house.admin`
    select max(n)::int as rows from (
      select count(*) as n from shop.minute_rollup_bulk
      group by minute, event_type, category, device, currency) g`;
  // Chunks beside each other do not see one another.
  assert.ok(most?.rows >= 2 && most?.rows <= 4, `${most?.rows}`);
  const { deltas, hourDeltas } = await parts(house);
  assert.deepEqual({ deltas, hourDeltas }, { deltas: ["10:00", "10:01"], hourDeltas: 1 });
  assert.deepEqual(await house.violations(), []);
  await unload(house, fileId);
  await house.deps.sql`select shop.fold_rollups()`;
  assert.deepEqual(await house.violations(), []);
  assert.equal((await totals(house)).rolledUp, 0);
  assert.deepEqual([...await house.admin`select from shop.product_rollup`], []);
});

Deno.test("shop.rollup_copies does not tell of what was taken back", async () => {
  await using house = await warehouse(COPYING);
  await ingest(house, await house.land("a.csv", csv(events(0, 20))));
  // Some of it is there already: that is seen after all was copied.
  const result = await ingest(house, await house.land("b.csv", csv(events(10, ENOUGH + 10))));
  assert.deepEqual([result.loaded, result.duplicates], [ENOUGH - 10, 10]);
  for (const table of ["rollup_copies", "minute_rollup_bulk", "product_rollup_bulk"]) {
    assert.deepEqual([...await house.admin.unsafe(`select from shop.${table}`)], [], table);
  }
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() may copy more of a group where loads do not see each other", async () => {
  await using house = await warehouse(COPYING);
  const all = csv(events(0, ENOUGH));
  const job = await house.job(await house.land("a.csv", all));
  const claimed = await claim(house, job);
  const span = { claim: claimed, firstChunk: 0, endChunk: claimed.chunks };
  // The same times and products, with other ids.
  const others = events(0, ENOUGH).map((row, n) => ({ ...row, event_id: eventId(ENOUGH + n) }));
  const second = await house.land("b.csv", csv(others));
  const [, other] = await interruptLastCopy(house, {
    loads: 2,
    work: () => Promise.all([house.run("loadSpan", job, span), ingest(house, second)]),
    meanwhile: async () => {},
  });
  await house.run("settleFile", job, claimed);
  assert.equal((await totals(house)).rolledUp, 2 * ENOUGH);
  assert.deepEqual(await house.violations(), []);

  await unload(house, other.fileId);
  assert.deepEqual(await house.violations(), []);
  await house.deps.sql`select shop.fold_rollups()`;
  assert.equal((await totals(house)).rolledUp, ENOUGH);
  assert.deepEqual(await house.violations(), []);
});

/** Where the rollups have something: minutes of the day, and hours with how many rows a group. */
async function parts({ admin }: Warehouse) {
  const minutesOf = (part: string) =>
    admin.unsafe(
      `select distinct to_char(minute at time zone 'UTC', 'HH24:MI') as minute
       from shop.minute_rollup_${part} order by 1`,
    ).then((rows) => rows.map(({ minute }) => minute as string));
  const hours = await admin`
    select distinct to_char(hour at time zone 'UTC', 'HH24') || ' ' || count(*) over (partition by hour) / ${ENOUGH} as hour
    from shop.product_rollup_bulk order by 1`;
  const [deltas] =
    await admin`select count(distinct hour)::int as hours from shop.product_rollup_delta`;
  return {
    bulk: await minutesOf("bulk"),
    base: await minutesOf("base"),
    deltas: await minutesOf("delta"),
    bulkHours: hours.map(({ hour }) => hour as string),
    hourDeltas: deltas?.hours as number,
  };
}

/** Runs some work until the last COPY of its loads has begun, then something else, then the rest of the work. */
async function interruptLastCopy<Result>(
  { admin }: Warehouse,
  { loads = 1, work, meanwhile }: {
    loads?: number;
    work: () => Promise<Result>;
    meanwhile: () => Promise<void>;
  },
): Promise<Result> {
  await admin.unsafe(`
    create function shop.hold_copy() returns trigger language plpgsql as $$
    begin
      if current_query() like 'copy %' then
        perform pg_advisory_xact_lock_shared(4711);
      end if;
      return null;
    end $$;
    create trigger hold_copy before insert on shop.product_rollup_bulk
    for each statement execute function shop.hold_copy();`);
  let working: Promise<Result> | undefined;
  await admin.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(4711)`;
    working = work();
    working.catch(() => {});
    await waitFor(async () => {
      const waiting = await admin`
        select from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`;
      return waiting.length === loads;
    }, { what: "the last COPY to begin" });
    await meanwhile();
  });
  return await working!;
}
