import assert from "node:assert/strict";
import type postgres from "postgres";
import { AcceptedRecords, CodedColumn } from "../../domain/accepted_records.ts";
import { conflictOf, loadChunk } from "../../activities/statements/load_chunk.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { waitFor } from "../harness.ts";
import { csv, event, eventId, events, line } from "./_events.ts";
import { claim, ingest } from "./_ingest.ts";
import { deadlocksSince, totals } from "./_totals.ts";
import { type Warehouse, warehouse } from "./_warehouse.ts";

Deno.test("loadChunk() writes events, keys, deltas and counts of a file", async () => {
  await using house = await warehouse();
  const result = await ingest(house, await house.land("a.csv", csv(events(0, 40))));
  assert.deepEqual(
    [result.state, result.records, result.loaded, result.duplicates, result.rejected],
    ["loaded", 40, 40, 0, 0],
  );
  assert.deepEqual(await totals(house), { events: 40, keys: 40, rolledUp: 40, openChunks: 0 });
  const chunks = await house.admin`select epoch, attempt, worker from ingest.chunks`;
  assert.ok(chunks.length > 3);
  for (const chunk of chunks) {
    assert.deepEqual({ ...chunk }, { epoch: 1, attempt: 1, worker: "tester" });
  }
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() gives a second attempt the stored counts", async () => {
  await using house = await warehouse();
  const job = await house.job(await house.land("a.csv", csv([...events(0, 20), event(3)])));
  const claimed = await claim(house, job);
  const span = { claim: claimed, firstChunk: 0, endChunk: claimed.chunks };
  const first = await house.run("loadSpan", job, span);
  assert.deepEqual(first, { records: 21, loaded: 20, duplicates: 1, rejected: 0 });
  // All chunks are committed, so that nothing is left for this attempt to do.
  const nothing = { records: 0, loaded: 0, duplicates: 0, rejected: 0 };
  assert.deepEqual(await house.run("loadSpan", job, span), nothing);
  const result = await house.run("settleFile", job, claimed);
  assert.deepEqual([result.records, result.loaded, result.duplicates], [21, 20, 1]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("conflictOf() reads one value, not the column: many records may conflict", () => {
  const column = new CodedColumn(1);
  const accepted = new AcceptedRecords(SHOP_EVENTS.columns.map(() => column));
  const place = { line: 2, byteStart: 0, byteLength: 1, extras: null };
  accepted.push(
    { ...place, eventMicros: 0, hashHigh: 0, hashLow: 7 },
    SHOP_EVENTS.columns.map(() => eventId(1)),
  );
  column.toArray = () => assert.fail("all values were made");
  const conflict = conflictOf({
    contract: SHOP_EVENTS,
    batch: { records: 1, accepted, rejects: [] },
  }, 0);
  assert.deepEqual(conflict, { eventId: eventId(1), contentHash: "7" });
});

Deno.test("loadChunk() quarantines a record of more than 2 GiB", async () => {
  await using house = await warehouse();
  const job = await house.job(await house.land("a.csv", csv(events(0, 1))));
  const { fileId, epoch } = await claim(house, job);
  const byteLength = 2 ** 31 + 100_000_000;
  const counts = await loadChunk(house.deps.sql, {
    fileId,
    epoch,
    chunkNo: 0,
    attempt: 1,
    worker: "tester",
    contract: SHOP_EVENTS,
    batch: {
      records: 1,
      accepted: new AcceptedRecords(),
      rejects: [{ line: 2, byteStart: 10, byteLength, faults: [{ code: "record_too_long" }] }],
    },
    rawOf: () => new Uint8Array(10),
    hasOldEvents: false,
  });
  assert.deepEqual(counts, { records: 1, loaded: 0, duplicates: 0, rejected: 1 });
  const [reject] = await house.deps.sql`select byte_length, raw_truncated from ingest.rejects`;
  assert.deepEqual({ ...reject }, { byte_length: byteLength, raw_truncated: true });
});

// Without the chunk row's check the attempt that comes second finds the keys of the first: it counts all its records as
// duplicates of themselves, and the file ends with rows that no chunk counts.
Deno.test("loadChunk() loads each chunk once when two attempts of one epoch meet", async () => {
  await using house = await warehouse();
  const job = await house.job(await house.land("a.csv", csv(events(0, 40))));
  const claimed = await claim(house, job);
  const span = { claim: claimed, firstChunk: 0, endChunk: claimed.chunks };
  // Both have read the plan before either commits: they meet at every chunk.
  const meet = meetingPoint(2);
  house.deps.hooks = { beforeChunkTransaction: (_file, chunkNo) => meet(chunkNo) };
  const both = await Promise.all([
    house.run("loadSpan", job, span),
    house.run("loadSpan", job, span),
  ]);
  for (const counts of both) {
    assert.deepEqual(counts, { records: 40, loaded: 40, duplicates: 0, rejected: 0 });
  }
  const result = await house.run("settleFile", job, claimed);
  assert.deepEqual([result.loaded, result.duplicates], [40, 0]);
  assert.deepEqual(await totals(house), { events: 40, keys: 40, rolledUp: 40, openChunks: 0 });
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() refuses an attempt of another epoch or state", async (t) => {
  await using house = await warehouse();
  const job = await house.job(await house.land("a.csv", csv(events(0, 10))));
  const claimed = await claim(house, job);
  const span = { claim: claimed, firstChunk: 0, endChunk: claimed.chunks };
  for (const state of ["loading", "loaded", "failed", "cancelled", "unloaded", "unloading"]) {
    await t.step(`${state}, ${state === "loading" ? "next" : "same"} epoch`, async () => {
      await house.admin`
        update ingest.files
        set state = ${state}, unload_to = ${state === "unloading" ? "failed" : null},
            epoch = ${state === "loading" ? claimed.epoch + 1 : claimed.epoch}`;
      await assert.rejects(house.run("loadSpan", job, span), { type: "StaleClaim" });
      assert.deepEqual(await totals(house), { events: 0, keys: 0, rolledUp: 0, openChunks: 1 });
    });
  }
});

Deno.test("loadChunk() writes nothing once its file was claimed again before the transaction", async () => {
  await using house = await warehouse();
  const job = await house.job(await house.land("a.csv", csv(events(0, 4))));
  const old = await claim(house, job);
  house.deps.hooks = {
    beforeChunkTransaction: async () => {
      delete house.deps.hooks;
      await claim(house, job);
    },
  };
  const span = { claim: old, firstChunk: 0, endChunk: old.chunks };
  await assert.rejects(house.run("loadSpan", job, span), { type: "StaleClaim" });
  assert.deepEqual(await totals(house), { events: 0, keys: 0, rolledUp: 0, openChunks: 1 });
});

Deno.test("loadChunk() loads an event once that stands twice in a chunk, a file or two files", async () => {
  await using house = await warehouse();
  const inChunk = csv([event(1), event(1), ...events(2, 30)]);
  const inFile = csv([...events(100, 130), event(101)]);
  const inFiles = csv([...events(0, 4), event(120), ...events(200, 204)]);
  const results = [];
  for (const [index, text] of [inChunk, inFile, inFiles].entries()) {
    results.push(await ingest(house, await house.land(`${index}.csv`, text)));
  }
  assert.deepEqual(results.map(({ loaded, duplicates }) => [loaded, duplicates]), [
    [29, 1],
    [30, 1],
    [5, 4],
  ]);
  assert.deepEqual(await totals(house), { events: 64, keys: 64, rolledUp: 64, openChunks: 0 });
  const [twice] = await house.admin`
    select line_number, event_id from ingest.duplicates order by file_id, line_number limit 1`;
  assert.deepEqual({ ...twice }, { line_number: 3, event_id: eventId(1) });
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() loads common events once from files in opposite order", async () => {
  await using house = await warehouse({ chunkBytes: 1_000_000 });
  const common = 2_000;
  const deadlocks = await deadlocksSince(house);
  for (let round = 0; round < 20; round++) {
    const shared = events(round * common, (round + 1) * common);
    const [first, second] = await Promise.all(
      [shared, shared.toReversed()].map(async (rows, i) =>
        await house.job(await house.land(`${round}-${i}.csv`, csv(rows)))
      ),
    );
    assert.ok(first && second);
    const results = await Promise.all([ingest(house, first), ingest(house, second)]);
    const loaded = results.map(({ loaded }) => loaded);
    const duplicates = results.map(({ duplicates }) => duplicates);
    assert.deepEqual([sum(loaded), sum(duplicates)], [common, common]);
  }
  assert.equal(await deadlocks(), 0);
  assert.equal((await totals(house)).events, 20 * common);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() loads exactly one of two conflicting records", async () => {
  await using house = await warehouse();
  const files = await Promise.all(["1.00", "2.00"].map(async (price, index) => {
    const rows = [...events(0, 5), event(7, { price }), ...events(10 + index, 11 + index)];
    return await house.job(await house.land(`${price}.csv`, csv(rows)));
  }));
  const results = await Promise.all(files.map((job) => ingest(house, job)));
  assert.deepEqual(results.map(({ rejected }) => rejected).toSorted(), [0, 1]);
  const rejects = await house.admin`select faults, state, line_number from ingest.rejects`;
  assert.deepEqual(rejects.map((row) => ({ ...row })), [
    { faults: [{ code: "conflicting_event" }], state: "open", line_number: 7 },
  ]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() rejects one of two conflicting records of a chunk", async () => {
  await using house = await warehouse();
  const rows = [
    event(1, { price: "1.00" }),
    event(1, { price: "2.00" }),
    event(1, { price: "1.00" }),
  ];
  const result = await ingest(house, await house.land("a.csv", csv(rows)));
  assert.deepEqual([result.loaded, result.duplicates, result.rejected], [1, 1, 1]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() rejects what is older than the horizon", async () => {
  await using house = await warehouse();
  await house.admin`update ingest.horizon set events_from = '2025-12-01 00:00:00+00'`;
  const rows = [
    event(1, { event_time: "2025-11-30T23:59:59.999999Z" }),
    event(2, { event_time: "2025-12-01T00:00:00Z" }),
    event(3),
  ];
  const result = await ingest(house, await house.land("a.csv", csv(rows)));
  assert.deepEqual([result.loaded, result.rejected], [2, 1]);
  const [reject] = await house
    .admin`select faults, convert_from(raw, 'UTF8') as raw from ingest.rejects`;
  assert.deepEqual(reject?.faults, [{ code: "before_horizon" }]);
  assert.equal(`${reject?.raw}\n`, line(rows[0]!));
  const keys = await house.admin`select from ingest.event_keys`;
  assert.equal(keys.length, 2);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() waits for a horizon that is being moved, and obeys it", async () => {
  await using house = await warehouse();
  const job = await house.job(await house.land("a.csv", csv(events(0, 5))));
  const result = await whileLocked(house, {
    lock: (tx) => tx`update ingest.horizon set events_from = '2026-02-01 00:00:00+00'`,
    work: () => ingest(house, job),
  });
  assert.deepEqual([result.loaded, result.rejected], [0, 5]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() loads an event itself whose other copy is unloaded while it looks", async () => {
  await using house = await warehouse();
  await ingest(house, await house.land("a.csv", csv(events(0, 3))));
  const job = await house.job(await house.land("b.csv", csv(events(1, 6))));
  const result = await whileLocked(house, {
    lock: (tx) => tx`select from ingest.event_keys for update`,
    work: () => ingest(house, job),
    // What an unload does, in one go.
    change: async (tx) => {
      await tx`delete from ingest.event_keys`;
      await tx`delete from shop.events`;
      await tx`delete from shop.minute_rollup_delta`;
      await tx`delete from shop.product_rollup_delta`;
      await tx`update ingest.chunks set committed_at = null, loaded = 0 where file_id = 1`;
      await tx`update ingest.files set state = 'unloaded', loaded = null where file_id = 1`;
    },
  });
  assert.deepEqual([result.loaded, result.duplicates], [5, 0]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() leaves nothing when its backend is killed", async () => {
  await using house = await warehouse({ chunkBytes: 1_000_000 });
  const job = await house.job(await house.land("a.csv", csv(events(0, 50))));
  const claimed = await claim(house, job);
  // The last statement of the transaction finds its backend gone.
  await house.admin.unsafe(`
    create function ingest.die() returns trigger language plpgsql security definer as $$
    begin
      perform pg_terminate_backend(pg_backend_pid());
      return new;
    end $$;
    create trigger die before update on ingest.chunks execute function ingest.die();`);
  const span = { claim: claimed, firstChunk: 0, endChunk: 1 };
  await assert.rejects(house.run("loadSpan", job, span), /Cannot (reach|write to) PostgreSQL/);
  assert.deepEqual(await totals(house), { events: 0, keys: 0, rolledUp: 0, openChunks: 1 });
  await house.admin`drop trigger die on ingest.chunks`;
  await house.run("loadSpan", job, span);
  const result = await house.run("settleFile", job, claimed);
  assert.deepEqual([result.loaded, result.duplicates], [50, 0]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() keeps a piece of every statement out when the last one fails", async () => {
  await using house = await warehouse();
  const rows = [...events(0, 3), event(1), event(2, { price: "3.33" }), event(9, { price: "x" })];
  const job = await house.job(await house.land("a.csv", csv(rows)));
  await house.admin`
    alter table ingest.chunks add constraint no_commit check (committed_at is null) not valid`;
  const failure = await ingestOnce(house, job).catch((error) => error);
  assert.equal(failure.details[0].constraint_name, "no_commit");
  assert.deepEqual(await totals(house), { events: 0, keys: 0, rolledUp: 0, openChunks: 1 });
  const [left] = await house.admin`
    select (select count(*)::int from ingest.duplicates) as duplicates,
           (select count(*)::int from ingest.rejects) as rejects`;
  assert.deepEqual({ ...left }, { duplicates: 0, rejects: 0 });
});

async function ingestOnce(house: Warehouse, job: Awaited<ReturnType<Warehouse["job"]>>) {
  return await house.run("ingestSmallFile", job, job.input);
}

/** Starts some work while a transaction holds a lock, which ends when the work has come to wait for it. */
async function whileLocked<Result>(
  { admin }: Warehouse,
  { lock, work, change }: {
    lock: (tx: postgres.TransactionSql) => Promise<unknown>;
    work: () => Promise<Result>;
    change?: (tx: postgres.TransactionSql) => Promise<unknown>;
  },
): Promise<Result> {
  let working: Promise<Result> | undefined;
  await admin.begin(async (tx) => {
    await lock(tx);
    working = work();
    await waitFor(async () => {
      // Not within the transaction, which sees them as they were when it first looked.
      const waiting = await admin`
        select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      return waiting.length > 0;
    }, { what: "the work to wait for a lock" });
    await change?.(tx);
  });
  return await working!;
}

/** Lets nobody past a place before `parties` have come to it. */
function meetingPoint(parties: number): (place: number) => Promise<void> {
  const waiting = new Map<number, { left: number; open: () => void; opened: Promise<void> }>();
  return (place) => {
    let point = waiting.get(place);
    if (point === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(place, point = { left: parties, open: resolve, opened: promise });
    }
    if (--point.left === 0) point.open();
    return point.opened;
  };
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
