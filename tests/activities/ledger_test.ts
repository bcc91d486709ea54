import assert from "node:assert/strict";
import { abandonFile, completeFile } from "../../activities/statements/finish_file.ts";
import { FILE_STATES, type FileState } from "../../domain/ledger.ts";
import { csv, csvOf, event, events } from "./_events.ts";
import { claim, finish, ingest, ingestUnfinished, unload } from "./_ingest.ts";
import { type Job, jobOf, type Warehouse, warehouse } from "./_warehouse.ts";

Deno.test("inspectFile() goes on where the ledger says", async (t) => {
  await using house = await warehouse();
  const job = await house.job(await house.land("a.csv", csv(events(0, 3))));
  const { fileId } = await claim(house, job);
  const expected: [FileState, settled: boolean, next: string, epoch: number][] = [
    ["loading", false, "load", 2],
    ["loaded", false, "settle", 1],
    ["loaded", true, "done", 1],
    ["failed", false, "settle", 1],
    ["failed", true, "done", 1],
    ["duplicate", false, "settle", 1],
    ["duplicate", true, "done", 1],
    ["cancelled", false, "settle", 1],
    ["cancelled", true, "done", 1],
    ["unloading", false, "unload", 1],
    ["unloaded", false, "settle", 1],
    ["unloaded", true, "done", 1],
  ];
  assert.deepEqual(new Set(expected.map(([state]) => state)), new Set(FILE_STATES));
  for (const [state, settled, next, epoch] of expected) {
    await t.step(`${state}, ${settled ? "settled" : "not settled"}: ${next}`, async () => {
      await house.admin`
        update ingest.files
        set state = ${state}, epoch = 1, unload_to = ${state === "unloading" ? "failed" : null},
            duplicate_of = ${state === "duplicate" ? fileId : null},
            settled_at = ${settled ? new Date() : null}`;
      const inspection = await house.run("inspectFile", job, job.input);
      assert.equal(inspection.next, next);
      const [row] = await house.admin`select epoch from ingest.files`;
      assert.equal(row?.epoch, epoch);
    });
  }
});

Deno.test("inspectFile() yields a row that another workflow has taken", async () => {
  await using house = await warehouse();
  const job = await house.job(await house.land("a.csv", csv(events(0, 3))));
  const { fileId } = await claim(house, job);
  const retry = { workflowId: "retry/1", input: { ...job.input, fileId } };
  assert.deepEqual(await house.run("inspectFile", retry, retry.input), {
    next: "yield",
    fileId,
    ownerWorkflowId: job.workflowId,
  });
  const result = await house.run("ingestSmallFile", retry, retry.input);
  assert.equal(result.ownerWorkflowId, job.workflowId);
});

Deno.test("inspectFile() does not make up the row that an operation names", async () => {
  await using house = await warehouse();
  const job = await house.job(await house.land("a.csv", csv(events(0, 3))));
  const input = { ...job.input, fileId: 77 };
  await assert.rejects(house.run("inspectFile", job, input), /Cannot claim file 77/);
});

Deno.test("inspectFile() goes on with the chunks of the ledger, cut otherwise", async () => {
  await using house = await warehouse({ chunkBytes: 1_000 });
  const job = await house.job(await house.land("a.csv", csv(events(0, 40))));
  const small = await claim(house, job);
  await house.run("loadSpan", job, { claim: small, firstChunk: 0, endChunk: 2 });
  house.deps.chunkBytes = 1_000_000;
  const result = await ingest(house, job);
  assert.deepEqual([result.state, result.records, result.loaded], ["loaded", 40, 40]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("recordPlan() takes over an unsettled row of the same path and bytes", async () => {
  await using house = await warehouse();
  const path = await house.land("a.csv", csv(events(0, 30)));
  const first = await house.job(path);
  const old = await claim(house, first);
  await house.run("loadSpan", first, { claim: old, firstChunk: 0, endChunk: 1 });
  const second = await touched(house, path);
  const taken = await claim(house, second);
  assert.deepEqual([taken.fileId, taken.epoch], [old.fileId, old.epoch + 1]);

  // The one that lost the file stops, looks for its own row, and leaves the other alone.
  const span = { claim: old, firstChunk: 0, endChunk: old.chunks };
  await assert.rejects(house.run("loadSpan", first, span), { type: "StaleClaim" });
  const lost = await ingest(house, first);
  assert.deepEqual([lost.state, lost.duplicateOf], ["duplicate", old.fileId]);
  await house.run("loadSpan", second, { claim: taken, firstChunk: 0, endChunk: taken.chunks });
  const result = await house.run("settleFile", second, taken);
  assert.deepEqual([result.state, result.loaded, result.duplicates], ["loaded", 30, 0]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("recordPlan() takes over a loaded row of the same file to settle it", async () => {
  await using house = await warehouse();
  const path = await house.land("a.csv", csv(events(0, 3)));
  const first = await house.job(path);
  const claimed = await claim(house, first);
  await house.run("loadSpan", first, { claim: claimed, firstChunk: 0, endChunk: 1 });
  await completeFile(house.deps.sql, claimed);
  const result = await ingest(house, await touched(house, path));
  assert.deepEqual([result.state, result.fileId, result.loaded], ["loaded", claimed.fileId, 3]);
  assert.ok(await Deno.stat(result.archivePath ?? ""));
});

Deno.test("recordPlan() leaves a re-opened row its bytes in the archive when they land again", async () => {
  await using house = await warehouse();
  const text = csv(events(0, 20));
  const first = await house.job(await house.land("a.csv", text));
  await claim(house, first);
  const path = await house.land("b.csv", text);
  const copy = await ingest(house, path);
  assert.equal(copy.state, "duplicate");
  const remainder = await house.run("abandonFile", first, first.input, { unloadTo: "cancelled" });
  assert.ok(remainder.next === "settle");
  await finish(house, first, remainder);
  const reopened = await unfinishedJob(house);
  assert.equal((await claim(house, reopened)).fileId, copy.fileId);

  const again = await ingest(house, await house.land("b.csv", text));
  assert.deepEqual([again.state, again.duplicateOf], ["duplicate", copy.fileId]);
  assert.notEqual(again.archivePath, copy.archivePath);
  const loaded = await ingest(house, reopened);
  assert.deepEqual([loaded.state, loaded.loaded], ["loaded", 20]);
  assert.equal(loaded.archivePath, copy.archivePath);
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  for (const { archivePath } of [again, loaded]) {
    assert.equal(await Deno.readTextFile(archivePath ?? ""), text);
  }
  assert.deepEqual(await house.violations(), []);
});

Deno.test("recordPlan() lets several sightings of one file race for its row", async () => {
  await using house = await warehouse();
  for (let round = 0; round < 10; round++) {
    const rows = events(round * 10, round * 10 + 10);
    const path = await house.land(`${round}.csv`, csv(rows));
    const jobs = [await house.job(path)];
    for (let i = 0; i < 3; i++) jobs.push(await touched(house, path));
    const results = await Promise.allSettled(jobs.map((job) => ingest(house, job)));
    assert.equal(results.filter(isStale).length + results.filter(isDone).length, 4);
    for (const job of jobs) await ingest(house, job);
  }
  const loaded = await house.admin`select from ingest.files where state = 'loaded'`;
  const others = await house.admin`
    select from ingest.files where state not in ('loaded', 'duplicate', 'failed')`;
  assert.deepEqual([loaded.length, others.length], [10, 0]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("recordPlan() finds duplicates of what is loading and loaded", async () => {
  await using house = await warehouse();
  const text = csv(events(0, 5));
  const original = await house.job(await house.land("a.csv", text));
  const { fileId } = await claim(house, original);
  const early = await ingest(house, await house.land("b.csv", text));
  await ingest(house, original);
  const late = await ingest(house, await house.land("c.csv", text));
  const expected = ["duplicate", fileId, 0, 0];
  for (const { state, duplicateOf, records, loaded } of [early, late]) {
    assert.deepEqual([state, duplicateOf, records, loaded], expected);
  }
  assert.deepEqual(await house.violations(), []);
});

Deno.test("recordPlan() waits for an unload of the same bytes", async () => {
  await using house = await warehouse();
  const text = csv(events(0, 5));
  const { fileId } = await ingest(house, await house.land("a.csv", text));
  const { next } = await abandonFile(house.deps.sql, { fileId, unloadTo: "unloaded" });
  assert.equal(next, "unload");
  const again = await house.job(await house.land("b.csv", text));
  await assert.rejects(house.run("inspectFile", again, again.input), { type: "UnloadInProgress" });
  await finish(house, original(fileId), { next: "unload", fileId });
  const result = await ingest(house, again);
  assert.deepEqual([result.state, result.loaded], ["loaded", 5]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("recordPlan() loads bytes again whose row failed or was unloaded", async () => {
  await using house = await warehouse();
  const text = csv(events(0, 5));
  const first = await ingest(house, await house.land("a.csv", text));
  await unload(house, first.fileId);
  const second = await house.job(await house.land("b.csv", text));
  await claim(house, second);
  const given = await house.run("abandonFile", second, second.input, { unloadTo: "failed" });
  assert.ok(given.next === "settle");
  await finish(house, second, given);
  const third = await ingest(house, await house.land("c.csv", text));
  assert.deepEqual([third.state, third.loaded], ["loaded", 5]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("recordPlan() lets one of several claims with the same bytes win", async () => {
  await using house = await warehouse();
  for (let round = 0; round < 20; round++) {
    const text = csv(events(round * 10, round * 10 + 8));
    const jobs = await Promise.all(
      ["a", "b", "c"].map(async (name) =>
        await house.job(await house.land(`${name}${round}.csv`, text))
      ),
    );
    const results = await Promise.all(jobs.map((job) => ingest(house, job)));
    const winner = results.filter(({ state }) => state === "loaded");
    assert.equal(winner.length, 1);
    const others = results.filter(({ state }) => state === "duplicate");
    assert.deepEqual(
      others.map(({ duplicateOf }) => duplicateOf),
      Array(2).fill(winner[0]?.fileId),
    );
  }
  assert.deepEqual(await house.violations(), []);
});

Deno.test("recordPlan() remembers which file a new version supersedes", async () => {
  await using house = await warehouse();
  const older = await ingest(house, await house.land("a.csv", csv(events(0, 3))));
  await ingest(house, await house.land("other.csv", csv(events(20, 21))));
  const newer = await ingest(house, await house.land("a.csv", csv(events(0, 5))));
  assert.deepEqual([newer.loaded, newer.duplicates], [2, 3]);
  const [row] = await house.admin`
    select supersedes::int as supersedes from ingest.files where file_id = ${newer.fileId}`;
  assert.equal(row?.supersedes, older.fileId);
});

Deno.test("completeFile() refuses chunks that are open, missing, or do not cover the file", async (t) => {
  await using house = await warehouse();
  const job = await house.job(await house.land("a.csv", csv(events(0, 40))));
  const claimed = await claim(house, job);
  await house.run("loadSpan", job, { claim: claimed, firstChunk: 0, endChunk: claimed.chunks });
  const last = claimed.chunks - 1;
  const damages: Record<string, (admin: Warehouse["admin"]) => Promise<unknown>> = {
    "an open chunk": (admin) =>
      admin`update ingest.chunks set committed_at = null where chunk_no = 1`,
    "no first chunk": (admin) => admin`delete from ingest.chunks where chunk_no = 0`,
    "a chunk missing between": (admin) => admin`delete from ingest.chunks where chunk_no = 1`,
    "no last chunk": (admin) => admin`delete from ingest.chunks where chunk_no = ${last}`,
    "no chunk at all": (admin) => admin`delete from ingest.chunks`,
    "a gap": (admin) =>
      admin`update ingest.chunks set byte_start = byte_start + 1 where chunk_no = 1`,
    "an overlap": (admin) =>
      admin`update ingest.chunks set byte_end = byte_end + 1 where chunk_no = 1`,
  };
  for (const [name, damage] of Object.entries(damages)) {
    await t.step(name, async () => {
      await house.admin`create table saved as select * from ingest.chunks`;
      await damage(house.admin);
      await assert.rejects(
        completeFile(house.deps.sql, claimed),
        /do not cover it or do not add up/,
      );
      await house.admin`delete from ingest.chunks`;
      await house.admin`insert into ingest.chunks select * from saved`;
      await house.admin`drop table saved`;
    });
  }
  await completeFile(house.deps.sql, claimed);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("completeFile() completes a file without records", async () => {
  await using house = await warehouse();
  const result = await ingest(house, await house.land("a.csv", csvOf()));
  assert.deepEqual([result.state, result.records], ["loaded", 0]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("abandonFile() does in each state what fits it", async (t) => {
  await using house = await warehouse();
  const job = await house.job(await house.land("a.csv", csv(events(0, 3))));
  const { fileId } = await claim(house, job);
  const expected: [FileState, "unloaded" | "cancelled", next: string, state: FileState][] = [
    ["loading", "cancelled", "settle", "cancelled"],
    ["loading", "unloaded", "refused", "loading"],
    ["loaded", "unloaded", "settle", "unloaded"],
    ["loaded", "cancelled", "refused", "loaded"],
    ["unloading", "cancelled", "unload", "unloading"],
    ["failed", "cancelled", "refused", "failed"],
    ["duplicate", "cancelled", "refused", "duplicate"],
    ["cancelled", "unloaded", "refused", "cancelled"],
    ["unloaded", "unloaded", "refused", "unloaded"],
  ];
  for (const [state, unloadTo, next, after] of expected) {
    await t.step(`${state} to ${unloadTo}: ${next}`, async () => {
      await house.admin`
        update ingest.files
        set state = ${state}, epoch = 1, unload_to = ${state === "unloading" ? "failed" : null},
            duplicate_of = ${state === "duplicate" ? fileId : null}`;
      assert.equal((await abandonFile(house.deps.sql, { fileId, unloadTo })).next, next);
      const [row] = await house.admin`select state, epoch from ingest.files`;
      assert.deepEqual([row?.state, row?.epoch], [after, after === state ? 1 : 2]);
    });
  }
});

Deno.test("abandonFile() before anything was read writes the row as cancelled", async () => {
  await using house = await warehouse();
  const job = await house.job(await house.land("a.csv", csv(events(0, 3))));
  const remainder = await house.run("abandonFile", job, job.input, {
    unloadTo: "cancelled",
    errorCode: "cancelled",
  });
  assert.ok(remainder.next === "settle");
  const result = await finish(house, job, remainder);
  assert.deepEqual([result.state, result.errorCode], ["cancelled", "cancelled"]);
  assert.match(result.archivePath ?? "", /\/failed\/a\.1\.csv$/);
});

for (const unloadTo of ["failed", "cancelled"] as const) {
  for (const archivePolicy of ["move", "keep"] as const) {
    Deno.test(`endUnload() to ${unloadTo} re-opens the oldest duplicate, policy ${archivePolicy}`, async () => {
      await using house = await warehouse({ archivePolicy });
      const text = csv(events(0, 30));
      const job = await house.job(await house.land("a.csv", text));
      const claimed = await claim(house, job);
      await house.run("loadSpan", job, { claim: claimed, firstChunk: 0, endChunk: 2 });
      const copies = [];
      for (const name of ["b", "c"]) {
        copies.push(await ingest(house, await house.land(`${name}.csv`, text)));
      }
      const remainder = await house.run("abandonFile", job, job.input, { unloadTo });
      assert.ok(remainder.next === "unload");
      await finish(house, job, remainder);
      assert.deepEqual((await states(house)).map(([state]) => state), [
        unloadTo,
        "loading",
        "duplicate",
      ]);
      const [reopened] = await ingestUnfinished(house);
      assert.deepEqual([reopened?.state, reopened?.loaded], ["loaded", 30]);
      assert.deepEqual(await states(house), [
        [unloadTo, null],
        ["loaded", null],
        ["duplicate", copies[0]?.fileId],
      ]);
      assert.deepEqual(await house.violations(), []);
    });
  }
}

Deno.test("endUnload() passes over duplicates whose bytes are gone", async () => {
  await using house = await warehouse();
  const text = csv(events(0, 3));
  const job = await house.job(await house.land("a.csv", text));
  await claim(house, job);
  const gone = await ingest(house, await house.land("b.csv", text));
  const kept = await ingest(house, await house.land("c.csv", text));
  await Deno.remove(gone.archivePath ?? "");
  const remainder = await house.run("abandonFile", job, job.input, { unloadTo: "failed" });
  assert.ok(remainder.next === "settle");
  await finish(house, job, remainder);
  await ingestUnfinished(house);
  assert.deepEqual((await states(house)).map(([state]) => state), ["failed", "failed", "loaded"]);
  const [row] = await house.admin`
    select file_id::int as file_id from ingest.files where state = 'loaded'`;
  assert.equal(row?.file_id, kept.fileId);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadSpan() gives up a file beyond its error budget", async (t) => {
  const bad = (count: number) => Array.from({ length: count }, (_, n) => event(n, { price: "-1" }));
  const budgets: Record<string, [budget: object, state: FileState]> = {
    "within maxRejects": [{ maxRejects: 3 }, "loaded"],
    "beyond maxRejects": [{ maxRejects: 2 }, "failed"],
    "within maxRejectShare": [{ maxRejectShare: 0.3 }, "loaded"],
    "beyond maxRejectShare": [{ maxRejectShare: 0.29 }, "failed"],
    "beyond the stricter of both": [{ maxRejects: 5, maxRejectShare: 0.1 }, "failed"],
  };
  for (const [name, [errorBudget, state]] of Object.entries(budgets)) {
    await t.step(name, async () => {
      await using house = await warehouse({ errorBudget });
      const text = csv([...events(100, 107), ...bad(3)]);
      const result = await ingest(house, await house.land("a.csv", text));
      assert.equal(result.state, state);
      assert.equal(result.errorCode, state === "failed" ? "error_budget" : undefined);
      const open = await house.admin`select from ingest.rejects where state = 'open'`;
      assert.equal(open.length, 3, "rejects are kept, to be looked at");
      const [row] = await house.admin`select count(*)::int as events from shop.events`;
      assert.equal(row?.events, state === "failed" ? 0 : 7);
      assert.deepEqual(await house.violations(), []);
    });
  }
});

Deno.test("loadSpan() does not count conflicts and late events against the error budget", async () => {
  await using house = await warehouse({ errorBudget: { maxRejects: 0 } });
  await ingest(house, await house.land("a.csv", csv(events(0, 3))));
  await house.admin`update ingest.horizon set events_from = '2025-01-01 00:00:00+00'`;
  const rows = [event(1, { price: "99.99" }), event(50, { event_time: "2024-01-01T00:00:00Z" })];
  const result = await ingest(house, await house.land("b.csv", csv(rows)));
  assert.deepEqual([result.state, result.rejected], ["loaded", 2]);
});

/** The same file seen again, as after a chmod: nothing but its ctime is another. */
async function touched(house: Warehouse, path: string): Promise<Job> {
  const { input: { identity } } = await house.job(path);
  return jobOf(house.inboxId, { ...identity, ctimeMs: identity.ctimeMs + ++touches });
}

let touches = 0;

/** The workflow that goes on with the one row that is not settled. */
async function unfinishedJob({ admin, inboxId }: Warehouse): Promise<Job> {
  const [row] = await admin<
    { workflow_id: string; path: string; ino: string; size: string; mtime: number; ctime: number }[]
  >`
    select workflow_id, path, ino, size_bytes as size, mtime_ms as mtime, ctime_ms as ctime
    from ingest.files where settled_at is null`;
  assert.ok(row);
  return jobOf(inboxId, {
    path: row.path,
    ino: Number(row.ino),
    sizeBytes: Number(row.size),
    mtimeMs: row.mtime,
    ctimeMs: row.ctime,
  }, row.workflow_id);
}

function original(fileId: number) {
  return { workflowId: `unload/${fileId}` };
}

async function states({ admin }: Warehouse) {
  const rows = await admin`
    select state, duplicate_of::int as duplicate_of from ingest.files order by file_id`;
  return rows.map((row) => [row.state, row.duplicate_of]);
}

function isStale(outcome: PromiseSettledResult<unknown>): boolean {
  return outcome.status === "rejected" && outcome.reason.type === "StaleClaim";
}

function isDone(outcome: PromiseSettledResult<unknown>): boolean {
  return outcome.status === "fulfilled";
}
