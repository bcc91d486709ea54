import assert from "node:assert/strict";
import { ApplicationFailure } from "@temporalio/common";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { operationWorkflowId } from "../../domain/workflow_ids.ts";
import { waitFor } from "../harness.ts";
import { csv, csvOf, event, line, type TestEvent } from "./_events.ts";
import { ingest, unload } from "./_ingest.ts";
import { deadlocksSince } from "./_totals.ts";
import { type Warehouse, warehouse } from "./_warehouse.ts";

const GOOD = event(3, { price: "4.00" });
const NOTHING = { loaded: 0, duplicates: 0, open: 0, truncated: 0, tooLong: 0 };

Deno.test("replayRejects() loads a corrected record at its file and line, once", async () => {
  await using house = await warehouse();
  const { fileId } = await ingest(
    house,
    await house.land("a.csv", csv([event(1), event(3, { price: "x" })])),
  );
  assert.deepEqual(await replay(house, { fileId }), { ...NOTHING, open: 1 });
  await correct(house, 1, GOOD);
  const both = await Promise.all([replay(house, { fileId }), replay(house, { fileId })]);
  assert.deepEqual(both.map(({ loaded }) => loaded).toSorted(), [0, 1]);
  assert.deepEqual((await replay(house, { fileId })).loaded, 0);
  const [row] = await house.admin`
    select file_id::int, line_number, price::text from shop.events where event_id = ${GOOD
    .event_id!}`;
  assert.deepEqual({ ...row }, { file_id: fileId, line_number: 3, price: "4.00" });
  assert.deepEqual(await counts(house, fileId), [2, 0, 0]);
  const [reject] = await house
    .admin`select state, resolved_at is not null as resolved from ingest.rejects`;
  assert.deepEqual({ ...reject }, { state: "replayed", resolved: true });
  assert.deepEqual(await house.violations(), []);
  await unload(house, fileId);
  assert.equal((await house.admin`select from shop.events`).length, 0);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("replayRejects() takes what is loaded meanwhile for a duplicate, and keeps a conflict open", async () => {
  await using house = await warehouse();
  const rejected = [event(3, { price: "x" }), event(4, { price: "y" })];
  const { fileId } = await ingest(house, await house.land("a.csv", csv(rejected)));
  await ingest(house, await house.land("b.csv", csv([GOOD, event(4, { price: "1.00" })])));
  await correct(house, 1, GOOD);
  await correct(house, 2, event(4, { price: "2.00" }));
  assert.deepEqual(await replay(house, { fileId }), { ...NOTHING, duplicates: 1, open: 1 });
  assert.deepEqual(await counts(house, fileId), [0, 1, 1]);
  const [conflict] = await house.admin`select faults from ingest.rejects where reject_id = 2`;
  assert.deepEqual(conflict?.faults, [{ code: "conflicting_event" }]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("replayRejects() applies a correction once the older file is unloaded", async () => {
  await using house = await warehouse();
  const old = await ingest(house, await house.land("a.csv", csv([event(1), event(2)])));
  const corrected = csv([event(1, { price: "9.00" }), event(2), event(5)]);
  const fresh = await ingest(house, await house.land("a.csv", corrected));
  assert.deepEqual([fresh.loaded, fresh.duplicates, fresh.rejected], [1, 1, 1]);
  await unload(house, old.fileId);
  assert.deepEqual(await counts(house, fresh.fileId), [3, 0, 0]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("replayRejects() replays only what was asked for", async () => {
  await using house = await warehouse();
  const rows = [event(1, { price: "x" }), event(2, { quantity: "0" }), event(3, { price: "y" })];
  const { fileId } = await ingest(house, await house.land("a.csv", csv(rows)));
  for (const [id, row] of [[1, event(1)], [2, event(2)], [3, event(3)]] as const) {
    await correct(house, id, row);
  }
  assert.equal((await replay(house, { fileId, rejectId: 2 })).loaded, 1);
  assert.equal((await replay(house, { fileId, code: "invalid_number" })).loaded, 2);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("replayRejects() takes fault and column for those of one fault", async () => {
  await using house = await warehouse();
  const rows = [
    event(1, { price: "x" }),
    event(2, { price: "-1", quantity: "x" }),
    event(3, { currency: "XYZ" }),
  ];
  const { fileId } = await ingest(house, await house.land("a.csv", csv(rows)));
  for (const n of [1, 2, 3]) await correct(house, n, event(n));
  const both = { fileId, code: "invalid_number", column: "price" };
  assert.deepEqual(await replay(house, both), { ...NOTHING, loaded: 1 });
  assert.deepEqual(await replay(house, both), NOTHING, "a number elsewhere, a fault elsewhere");
  assert.equal((await replay(house, { fileId, column: "quantity" })).loaded, 1);
  assert.equal((await replay(house, { fileId, column: "currency" })).loaded, 1);
});

Deno.test("replayRejects() takes a correction that is stored while it works", async () => {
  await using house = await warehouse();
  const { fileId } = await ingest(
    house,
    await house.land("a.csv", csv([event(3, { price: "x" })])),
  );
  await correct(house, 1, event(3, { price: "1.00" }));
  // The transaction has to wait for this one; the reject was read and validated before.
  const release = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const correcting = house.admin.begin(async (tx) => {
    await tx`select from ingest.rejects for update`;
    held.resolve();
    await release.promise;
    await tx`select ingest.correct_reject(1, ${new TextEncoder().encode(line(GOOD).trimEnd())})`;
  });
  await held.promise;
  const replaying = replay(house, { fileId });
  await waitFor(
    async () =>
      (await house.admin`
        select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`).length > 0,
    { what: "the replay to wait for the reject" },
  );
  release.resolve();
  await correcting;
  assert.deepEqual(await replaying, { ...NOTHING, loaded: 1 });
  const [row] = await house.admin`select price::text from shop.events`;
  assert.equal(row?.price, GOOD.price);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("replayRejects() leaves a record alone that is too long for any contract, until it is corrected", async () => {
  await using house = await warehouse({ chunkBytes: 4_000_000 });
  const long = `${event(1).event_id},"${"x".repeat(2 * 1024 * 1024)}"\n`;
  const { fileId } = await ingest(house, await house.land("a.csv", csvOf(long, line(event(2)))));
  // A length that nobody could hold in memory, as of a line of many gigabytes.
  await house.admin`update ingest.rejects set byte_length = ${2 ** 45}`;
  assert.deepEqual(await replay(house, { fileId }), { ...NOTHING, tooLong: 1 });
  const [reject] = await house.admin`select state, faults from ingest.rejects`;
  assert.deepEqual({ ...reject }, { state: "open", faults: [{ code: "record_too_long" }] });
  await correct(house, 1, event(1));
  assert.deepEqual(await replay(house, { fileId }), { ...NOTHING, loaded: 1 });
  assert.deepEqual(await house.violations(), []);
});

Deno.test("replayRejects() reads a file with columns that its feed has come to refuse", async () => {
  await using house = await warehouse();
  const { header, good, bad } = {
    header: csv([]),
    good: line(event(1)),
    bad: line(event(3, { price: "x" })),
  };
  const text = [header, good, bad].map((row, n) =>
    row.replace(/\n$/, [",campaign\n", ",a\n", ",b\n"][n]!)
  );
  const { fileId, rejected } = await ingest(house, await house.land("a.csv", text.join("")));
  assert.equal(rejected, 1);
  await mend(house, fileId);
  house.deps.contracts = new Map([[SHOP_EVENTS.feed, { ...SHOP_EVENTS, drift: "fail" }]]);
  assert.equal((await replay(house, { fileId })).loaded, 1);
  const rows = await house.admin`select extras from shop.events order by line_number`;
  assert.deepEqual(rows.map(({ extras }) => extras), [{ campaign: "a" }, { campaign: "b" }]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("replayRejects() reads a record beyond the quarantine's cap from the archived file", async () => {
  await using house = await warehouse({ chunkBytes: 1_000_000 });
  const long = `${event(1).event_id},"${"x".repeat(100_000)}"\n`;
  const { fileId } = await ingest(house, await house.land("a.csv", csvOf(long)));
  assert.deepEqual(await replay(house, { fileId }), { ...NOTHING, open: 1 });
  const [file] = await house.admin`select archive_path from ingest.files`;
  await Deno.remove(file?.archive_path);
  assert.deepEqual(await replay(house, { fileId }), { ...NOTHING, truncated: 1 });
});

Deno.test("replayRejects() changes nothing of a file that is not loaded, and refuses more than one record", async () => {
  await using house = await warehouse();
  const { fileId } = await ingest(
    house,
    await house.land("a.csv", csv([event(1), event(3, { price: "x" })])),
  );
  await house.admin`update ingest.rejects set corrected = ${
    new TextEncoder().encode(csv([GOOD, event(8)]))
  }`;
  assert.equal((await replay(house, { fileId })).open, 1);
  await correct(house, 1, GOOD);
  await house
    .admin`update ingest.files set state = 'unloading', unload_to = 'unloaded', settled_at = null`;
  await assert.rejects(
    replay(house, { fileId }),
    (error) => error instanceof ApplicationFailure && error.type === "NotLoaded",
  );
  assert.equal((await house.admin`select from ingest.event_keys`).length, 1);
  assert.equal((await house.admin`select from ingest.rejects where state = 'open'`).length, 1);
});

Deno.test("replayRejects() and unloads of the same events do not lose or double any", async () => {
  await using house = await warehouse();
  for (let round = 0; round < 4; round++) {
    const from = round * 10;
    const rows = Array.from({ length: 5 }, (_, n) => event(from + n));
    const other = rows.map((row) => ({ ...row, price: "55.00" }));
    const first = await ingest(house, await house.land(`a${round}.csv`, csv(rows)));
    const second = await ingest(house, await house.land(`b${round}.csv`, csv(other)));
    assert.equal(second.rejected, 5);
    await Promise.all([
      unload(house, first.fileId),
      replay(house, { fileId: second.fileId }),
      replay(house, { fileId: second.fileId }),
    ]);
    await replay(house, { fileId: second.fileId });
    assert.deepEqual(await counts(house, second.fileId), [5, 0, 0]);
    assert.deepEqual(await house.violations(), []);
  }
});

Deno.test("replayRejects() and the unload of the same file wait for each other instead of deadlocking", async () => {
  await using house = await warehouse({ chunkBytes: 50_000 });
  const deadlocks = await deadlocksSince(house);
  for (let round = 0; round < 20; round++) {
    const rows = Array.from({ length: 150 }, (_, n) => event(round * 200 + n, { price: "x" }));
    const good = event(round * 200 + 199);
    const text = csv([good, ...rows]);
    const { fileId } = await ingest(house, await house.land(`${round}.csv`, text));
    await mend(house, fileId);
    const [replayed] = await Promise.allSettled([replay(house, { fileId }), unload(house, fileId)]);
    if (replayed.status === "rejected") assert.equal(replayed.reason.type, "NotLoaded");
    const states = await house.admin`
      select distinct state from ingest.rejects where file_id = ${fileId} order by 1`;
    assert.ok(states.every(({ state }) => state !== "open"));
  }
  assert.equal((await house.admin`select from shop.events`).length, 0);
  assert.deepEqual(await house.violations(), []);
  assert.equal(await deadlocks(), 0);
});

async function replay(
  house: Warehouse,
  input: { fileId: number; rejectId?: number; code?: string; column?: string },
) {
  const workflowId = operationWorkflowId("replay", house.inboxId, input.fileId);
  return await house.run("replayRejects", { workflowId }, input);
}

/** As the command stores it: the line without its end. */
async function correct({ admin }: Warehouse, rejectId: number, row: TestEvent): Promise<void> {
  const corrected = new TextEncoder().encode(line(row).trimEnd());
  await admin`select ingest.correct_reject(${rejectId}, ${corrected})`;
}

/** A correction of each reject: its price becomes a number. */
async function mend({ admin }: Warehouse, fileId: number): Promise<void> {
  await admin`
    select ingest.correct_reject(reject_id, convert_to(replace(convert_from(raw, 'UTF8'), ',x,', ',7.00,'), 'UTF8'))
    from ingest.rejects where file_id = ${fileId}`;
}

async function counts({ admin }: Warehouse, fileId: number): Promise<number[]> {
  const [row] = await admin`
    select loaded::int, duplicates::int, rejected::int from ingest.files where file_id = ${fileId}`;
  return [row?.loaded, row?.duplicates, row?.rejected];
}
