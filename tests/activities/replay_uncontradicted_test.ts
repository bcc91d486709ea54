import assert from "node:assert/strict";
import { unloadChunk } from "../../activities/statements/unload_chunk.ts";
import { waitFor } from "../harness.ts";
import { NAMES } from "../domain/_shop_event.ts";
import { csv, csvOf, event, events, line, type TestEvent } from "./_events.ts";
import { claim, finish, ingest, unload } from "./_ingest.ts";
import { type Warehouse, warehouse } from "./_warehouse.ts";

const X = (price: string) => event(1, { price });

Deno.test("unloadFile() loads what had contradicted the events it leaves free, the newest first, wherever it landed", async () => {
  await using house = await warehouse();
  const first = await ingest(house, await house.land("a.csv", csv([X("1.00"), event(2)])));
  const second = await ingest(house, await house.land("b.csv", csv([X("2.00"), event(3)])));
  const third = await ingest(house, await house.land("c.csv", csv([X("3.00"), event(2)])));
  // Another directory altogether, whose bytes cannot be read from here.
  await house
    .admin`update ingest.files set inbox_id = gen_random_uuid() where file_id = ${third.fileId}`;
  await unload(house, first.fileId);
  assert.deepEqual(await counts(house, second.fileId), [1, 0, 1]);
  assert.deepEqual(await counts(house, third.fileId), [2, 0, 0]);
  assert.deepEqual(await prices(house), ["3.00"]);
  assert.deepEqual(await house.violations(), []);
  await unload(house, third.fileId);
  assert.deepEqual(await prices(house), ["2.00"]);
  assert.deepEqual(await open(house), 0);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("unloadFile() loads first what it makes room for, and takes what is equal to that for duplicates", async () => {
  await using house = await warehouse();
  const first = await ingest(house, await house.land("a.csv", csv([X("1.00")])));
  const second = await ingest(house, await house.land("b.csv", csv([X("2.00")])));
  const third = await ingest(house, await house.land("c.csv", csv([X("3.00"), event(2)])));
  const fourth = await ingest(house, await house.land("d.csv", csv([X("2.00"), event(3)])));
  await house.admin`
    update ingest.files set replaced_by = ${second.fileId} where file_id = ${first.fileId}`;
  await unload(house, first.fileId);
  assert.deepEqual(await prices(house), ["2.00"]);
  assert.deepEqual(await counts(house, second.fileId), [1, 0, 0]);
  assert.deepEqual(await counts(house, third.fileId), [1, 0, 1]);
  assert.deepEqual(await counts(house, fourth.fileId), [1, 1, 0]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("settleFile() replays what nothing contradicts since the file was loading", async () => {
  await using house = await warehouse();
  const first = await ingest(house, await house.land("a.csv", csv([X("1.00")])));
  const job = await house.job(await house.land("b.csv", csv([X("2.00"), ...events(10, 40)])));
  const claimed = await claim(house, job);
  await house.run("loadSpan", job, { claim: claimed, firstChunk: 0, endChunk: 1 });
  await unload(house, first.fileId);
  assert.deepEqual(await prices(house), []);
  await house.run("loadSpan", job, { claim: claimed, firstChunk: 1, endChunk: claimed.chunks });
  const result = await house.run("settleFile", job, claimed);
  assert.deepEqual([result.loaded, result.rejected], [31, 0]);
  assert.deepEqual(await prices(house), ["2.00"]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("unloadFile() leaves a conflict open whose event went to another file", async () => {
  await using house = await warehouse();
  const first = await ingest(house, await house.land("a.csv", csv([X("1.00")])));
  await ingest(house, await house.land("b.csv", csv([X("1.00"), event(2)])));
  await ingest(house, await house.land("c.csv", csv([X("3.00")])));
  await unload(house, first.fileId);
  assert.deepEqual(await prices(house), ["1.00"]);
  assert.equal(await open(house), 1);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("unloadFile() replays after a crash behind its last chunk", async () => {
  await using house = await warehouse();
  const first = await ingest(house, await house.land("a.csv", csv([X("1.00")])));
  await ingest(house, await house.land("b.csv", csv([X("2.00")])));
  await house.admin`
    update ingest.files set state = 'unloading', unload_to = 'unloaded', settled_at = null
    where file_id = ${first.fileId}`;
  await unloadChunk(house.deps.sql, { fileId: first.fileId, keepRejects: false }, 0);
  assert.deepEqual(await prices(house), []);
  await finish(house, { workflowId: "x" }, { next: "unload", fileId: first.fileId });
  assert.deepEqual(await prices(house), ["2.00"]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("unloadFile() replays again when its connection is lost meanwhile", async () => {
  await using house = await warehouse();
  const first = await ingest(house, await house.land("a.csv", csv([X("1.00")])));
  await ingest(house, await house.land("b.csv", csv([X("2.00")])));
  const [release, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holding = house.admin.begin(async (tx) => {
    await tx`select from ingest.rejects for update`;
    held.resolve();
    await release.promise;
  });
  await held.promise;
  const unloading = unload(house, first.fileId);
  const killed = await waitFor(async () => {
    const rows = await house.admin`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    return rows.length > 0;
  }, { what: "the replay to wait" });
  assert.ok(killed);
  const [file] = await house.admin`select state from ingest.files where file_id = ${first.fileId}`;
  assert.equal(file?.state, "unloading");
  release.resolve();
  await holding;
  assert.equal((await unloading).state, "unloaded");
  assert.deepEqual(await prices(house), ["2.00"]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("a file cancelled, or beyond its error budget, makes room for what had contradicted it", async () => {
  const contradicted = Promise.withResolvers<void>();
  let landed = false;
  await using house = await warehouse({
    errorBudget: { maxRejects: 0 },
    hooks: {
      // The first chunk is there; another file contradicts it before the next one.
      beforeChunk: async (_fileId, chunkNo) => {
        if (chunkNo === 0 || landed) return;
        landed = true;
        await ingest(house, await house.land("b.csv", csv([X("2.00")])));
        contradicted.resolve();
      },
    },
  });
  const rows = [X("1.00"), ...events(10, 40), event(50, { price: "x" })];
  const failed = await ingest(house, await house.land("a.csv", csv(rows)));
  await contradicted.promise;
  assert.deepEqual([failed.state, failed.errorCode], ["failed", "error_budget"]);
  assert.deepEqual(await prices(house), ["2.00"]);

  const job = await house.job(await house.land("c.csv", csv([event(60), ...events(70, 100)])));
  const claimed = await claim(house, job);
  await house.run("loadSpan", job, { claim: claimed, firstChunk: 0, endChunk: 1 });
  const contrary = event(60, { price: "61.00" });
  assert.equal((await ingest(house, await house.land("d.csv", csv([contrary])))).rejected, 1);
  const remainder = await house.run("abandonFile", job, job.input, {
    unloadTo: "cancelled",
    errorCode: "cancelled",
  });
  await finish(house, job, remainder);
  const [row] = await house.admin`select price::text from shop.events where event_id = ${contrary
    .event_id!}`;
  assert.equal(row?.price, "61.00");
  assert.deepEqual(await house.violations(), []);
});

Deno.test("a cut record that is taken out makes room for what had contradicted it, also after a crash", async () => {
  for (const crash of [false, true]) {
    await using house = await warehouse();
    // The name stands last: a cut one holds, and is not what was meant.
    const columns = [...NAMES.filter((name) => name !== "product_name"), "product_name"];
    const row = (row: TestEvent) => `${columns.map((name) => row[name]).join(",")}\n`;
    const whole = `${columns.join(",")}\n${row(event(2))}${row(event(1))}`;
    const other = line(event(1, { product_name: "another" }));
    const older = await ingest(house, await house.land("a.csv", whole.slice(0, -3)));
    const contrary = await ingest(house, await house.land("b.csv", csvOf(other)));
    assert.equal(contrary.rejected, 1);
    const newer = `${whole}${row(event(5))}`;
    const job = await house.job(await house.land("a.csv", newer));
    if (crash) {
      const { unloadCutRecord } = await import("../../activities/statements/unload_chunk.ts");
      assert.ok(await unloadCutRecord(house.deps.sql, older.fileId, 3));
      assert.equal(await open(house), 1);
    }
    await ingest(house, job);
    assert.deepEqual(await counts(house, contrary.fileId), [1, 0, 0]);
    const [marked] = await house.admin`
      select ends_with_newline from ingest.files where file_id = ${older.fileId}`;
    assert.equal(marked?.ends_with_newline, true);
    assert.deepEqual(await house.violations(), []);
  }
});

async function prices({ admin }: Warehouse): Promise<string[]> {
  const rows = await admin`select price::text from shop.events where event_id = ${event(1)
    .event_id!}`;
  return rows.map(({ price }) => price);
}

async function counts({ admin }: Warehouse, fileId: number): Promise<number[]> {
  const [row] = await admin`
    select loaded::int, duplicates::int, rejected::int from ingest.files where file_id = ${fileId}`;
  return [row?.loaded, row?.duplicates, row?.rejected];
}

async function open({ admin }: Warehouse): Promise<number> {
  return (await admin`select from ingest.rejects where state = 'open'`).length;
}
