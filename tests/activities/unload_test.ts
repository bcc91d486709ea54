import assert from "node:assert/strict";
import { abandonFile } from "../../activities/statements/finish_file.ts";
import { unloadChunk } from "../../activities/statements/unload_chunk.ts";
import { Prng } from "../../domain/generator/prng.ts";
import { waitFor } from "../harness.ts";
import { csv, event, eventId, events } from "./_events.ts";
import { claim, finish, ingest, unload } from "./_ingest.ts";
import { deadlocksSince, totals } from "./_totals.ts";
import { type Warehouse, warehouse } from "./_warehouse.ts";

Deno.test("unloadFile() takes everything of a file out, and nothing else", async () => {
  await using house = await warehouse();
  const rest = await ingest(house, await house.land("a.csv", csv(events(0, 20))));
  await house.deps.sql`select shop.fold_rollups()`;
  const mixed = [...events(20, 40), event(21), event(3), event(99, { price: "x" })];
  const file = await ingest(house, await house.land("b.csv", csv(mixed)));
  assert.deepEqual([file.loaded, file.duplicates, file.rejected], [20, 2, 1]);
  const result = await unload(house, file.fileId);
  assert.deepEqual([result.state, result.records, result.loaded], ["unloaded", 0, 0]);
  const { events: left, keys, rolledUp } = await totals(house);
  assert.deepEqual({ left, keys, rolledUp }, { left: 20, keys: 20, rolledUp: 20 });
  const owners = await house.admin`select distinct file_id::int as file_id from shop.events`;
  assert.deepEqual(owners.map(({ file_id }) => file_id), [rest.fileId]);
  const rejects = await house.admin`select state from ingest.rejects`;
  assert.deepEqual(rejects.map(({ state }) => state), ["withdrawn"]);
  const [deltas] = await house.admin`
    select min(events)::int as fewest, sum(events)::int as sum from shop.minute_rollup_delta`;
  assert.ok(deltas!.fewest < 0);
  assert.equal(deltas!.sum, 0);
  assert.deepEqual(await house.violations(), []);
  await house.deps.sql`select shop.fold_rollups()`;
  const zero = await house.admin`select from shop.minute_rollup_base where events = 0`;
  assert.equal(zero.length, 0);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("unloadFile() hands events over to the oldest duplicate in a loaded file", async () => {
  await using house = await warehouse();
  const owner = await ingest(house, await house.land("a.csv", csv(events(0, 20))));
  const heir = await ingest(
    house,
    await house.land("b.csv", csv([...events(100, 103), ...events(5, 20)])),
  );
  await ingest(house, await house.land("c.csv", csv([...events(200, 203), ...events(5, 15)])));
  assert.deepEqual([heir.loaded, heir.duplicates], [3, 15]);
  await unload(house, owner.fileId);
  assert.deepEqual(await counts(house), [
    ["unloaded", null, null],
    ["loaded", 18, 0],
    ["loaded", 3, 10],
  ]);
  const [row] = await house.admin`
    select e.file_id::int as file_id, e.line_number, k.line_number as key_line
    from shop.events e join ingest.event_keys k using (event_id) where event_id = ${eventId(5)}`;
  assert.deepEqual({ ...row }, { file_id: heir.fileId, line_number: 5, key_line: 5 });
  const { events: left, rolledUp } = await totals(house);
  assert.deepEqual({ left, rolledUp }, { left: 21, rolledUp: 21 });
  assert.deepEqual(await house.violations(), []);
  // The last copy leaves with the last file.
  await unload(house, heir.fileId);
  assert.deepEqual((await counts(house))[2], ["loaded", 13, 0]);
  await unload(house, 3);
  assert.deepEqual(await totals(house), {
    events: 0,
    keys: 0,
    rolledUp: 0,
    openChunks: await openChunks(house),
  });
  assert.deepEqual(await house.violations(), []);
});

Deno.test("unloadFile() hands events over to a file that is loading", async () => {
  await using house = await warehouse();
  const owner = await ingest(house, await house.land("a.csv", csv(events(0, 10))));
  const job = await house.job(
    await house.land("b.csv", csv([...events(0, 10), ...events(50, 80)])),
  );
  const claimed = await claim(house, job);
  await house.run("loadSpan", job, { claim: claimed, firstChunk: 0, endChunk: 3 });
  await unload(house, owner.fileId);
  assert.deepEqual(await house.violations(), []);
  await house.run("loadSpan", job, { claim: claimed, firstChunk: 3, endChunk: claimed.chunks });
  const result = await house.run("settleFile", job, claimed);
  assert.deepEqual([result.state, result.loaded, result.duplicates], ["loaded", 40, 0]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("unloadFile() of two files hands over to the chunks of a third one without a deadlock", async () => {
  await using house = await warehouse();
  const owners = [
    await ingest(house, await house.land("a.csv", csv([event(1), event(2)]))),
    await ingest(house, await house.land("b.csv", csv([event(10), event(20)]))),
  ];
  // The events of one owner and those of the other lie in its chunks in opposite order.
  const rows = [event(1), event(20), ...events(30, 50), event(2), event(10)];
  const heir = await claim(house, await house.job(await house.land("heir.csv", csv(rows))));
  await house.run("loadSpan", { workflowId: "heir" }, {
    claim: heir,
    firstChunk: 0,
    endChunk: heir.chunks,
  });
  await house.admin.unsafe(`
    create sequence ingest.handed_over;
    create function ingest.meet() returns trigger language plpgsql security definer as $$
    begin
      if nextval('ingest.handed_over') = 1 then
        while (select last_value from ingest.handed_over) = 1
              and not exists (select from pg_locks where not granted) loop
          perform pg_sleep(0.01);
        end loop;
      end if;
      return null;
    end $$;
    create trigger meet after update on ingest.chunks
    for each row when (new.file_id = ${heir.fileId}) execute function ingest.meet();`);
  const deadlocks = await deadlocksSince(house);
  await Promise.all(owners.map(({ fileId }) => unload(house, fileId)));
  assert.equal(await deadlocks(), 0);
  const result = await house.run("settleFile", { workflowId: "heir" }, heir);
  assert.deepEqual([result.loaded, result.duplicates], [rows.length, 0]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("unloadFile() keeps the proof empty between its chunks, and goes on after a crash", async () => {
  await using house = await warehouse();
  // Later chunks repeat events of earlier ones.
  const rows = [...events(0, 30), ...events(0, 10), event(99, { price: "x" })];
  const { fileId } = await ingest(house, await house.land("a.csv", csv(rows)));
  const heir = await ingest(house, await house.land("b.csv", csv(events(5, 8))));
  const request = { fileId, unloadTo: "cancelled" } as const;
  await house
    .admin`update ingest.files set state = 'loading', settled_at = null where file_id = ${fileId}`;
  assert.equal((await abandonFile(house.deps.sql, request)).next, "unload");
  const chunks = await house.admin<{ chunk_no: number }[]>`
    select chunk_no from ingest.chunks where file_id = ${fileId} order by chunk_no`;
  assert.ok(chunks.length > 3);
  for (const { chunk_no } of chunks) {
    await unloadChunk(house.deps.sql, { fileId, keepRejects: false }, chunk_no);
    assert.deepEqual(await house.violations(), []);
    await unloadChunk(house.deps.sql, { fileId, keepRejects: false }, chunk_no);
  }
  const result = await finish(house, { workflowId: "x" }, { next: "unload", fileId });
  assert.equal(result.state, "cancelled");
  const [owner] = await house.admin`select distinct file_id::int as file_id from shop.events`;
  assert.equal(owner?.file_id, heir.fileId);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("unloadFile() takes keys of dropped months out, or hands them over", async () => {
  await using house = await warehouse();
  const old = (from: number, end: number) =>
    events(from, end).map((row) => ({ ...row, event_time: "2025-03-04T05:06:07Z" }));
  const file = await ingest(
    house,
    await house.land("a.csv", csv([...old(0, 9), ...events(20, 29)])),
  );
  const heir = await ingest(
    house,
    await house.land("b.csv", csv([...old(3, 6), ...events(22, 24)])),
  );
  await house.admin`update ingest.horizon set events_from = '2025-04-01 00:00:00+00'`;
  await house.admin`drop table shop.events_2025_03`;
  assert.deepEqual(await house.violations(), []);
  await unload(house, file.fileId);
  assert.deepEqual((await counts(house))[1], ["loaded", 5, 0]);
  const { events: left, keys } = await totals(house);
  assert.deepEqual({ left, keys }, { left: 2, keys: 5 });
  assert.deepEqual(await house.violations(), []);
  await unload(house, heir.fileId);
  assert.equal((await totals(house)).keys, 0);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("unloadChunk() refuses a file that does not unload", async () => {
  await using house = await warehouse();
  const { fileId } = await ingest(house, await house.land("a.csv", csv(events(0, 3))));
  const unloading = unloadChunk(house.deps.sql, { fileId, keepRejects: false }, 0);
  await assert.rejects(unloading, { type: "StaleClaim" });
  assert.equal((await totals(house)).events, 3);
});

Deno.test("unloadFile() and loads of the same events do not lose or double any", async () => {
  await using house = await warehouse({ chunkBytes: 20_000 });
  const random = new Prng(42);
  await using watch = watchViolations(house);
  let loadedFiles: number[] = [];
  for (let round = 0; round < 20; round++) {
    const from = random.below(300);
    const rows = shuffle(events(from, from + 300), () => random.uniform());
    const files = await Promise.all(
      [rows, rows.toReversed().slice(50)].map(async (some, index) =>
        await house.job(await house.land(`${round}-${index}.csv`, csv(some)))
      ),
    );
    const leaving = loadedFiles.splice(0, 2);
    const [results] = await Promise.all([
      Promise.all(files.map((job) => ingest(house, job))),
      ...leaving.map((fileId) => unload(house, fileId)),
    ]);
    assert.deepEqual(results.map(({ state }) => state), ["loaded", "loaded"]);
    loadedFiles = [...loadedFiles, ...results.map(({ fileId }) => fileId)].slice(-4);
    if (round % 5 === 0) await house.deps.sql`select shop.fold_rollups()`;
    assert.deepEqual(await house.violations(), []);
  }
  assert.deepEqual(await watch.stop(), []);
});

/** Asks for the proof all the time: it must hold at every moment, not only when all is quiet. */
function watchViolations(house: Warehouse) {
  let stopped = false;
  const found: string[] = [];
  const watching = waitFor(async () => {
    found.push(...await house.violations());
    return stopped;
  }, { timeoutMs: 120_000, what: "the end of the test" });
  const stop = async () => {
    stopped = true;
    await watching;
    return found;
  };
  return { stop, [Symbol.asyncDispose]: async () => void await stop() };
}

async function counts({ admin }: Warehouse) {
  const rows = await admin`
    select state, loaded::int as loaded, duplicates::int as duplicates
    from ingest.files order by file_id`;
  return rows.map((row) => [row.state, row.loaded, row.duplicates]);
}

async function openChunks(house: Warehouse): Promise<number> {
  return (await totals(house)).openChunks;
}

function shuffle<Value>(values: Value[], random: () => number): Value[] {
  return values.map((value) => ({ value, order: random() }))
    .toSorted((a, b) => a.order - b.order).map(({ value }) => value);
}
