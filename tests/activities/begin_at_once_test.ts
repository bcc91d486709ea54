import assert from "node:assert/strict";
import { CancelledFailure } from "@temporalio/common";
import { openDatabase } from "../../activities/database.ts";
import { LoadAhead } from "../../activities/load_ahead.ts";
import { beginAtOnce, type FilesAhead } from "../../activities/load_at_once.ts";
import { readConfig } from "../../scripts/config.ts";
import { workerDeps } from "../../scripts/services/pipeline_settings.ts";
import { waitFor } from "../harness.ts";
import { cancellable, ONE_CHUNK, renameInto, waiting, waitingForTurn, waysOf } from "./_at_once.ts";
import { csv, event, events } from "./_events.ts";
import { ingest } from "./_ingest.ts";
import { totals } from "./_totals.ts";
import { type Job, type Warehouse, warehouse } from "./_warehouse.ts";

const LOADER = { runId: "run", attempt: 1, since: 0 };

Deno.test("loadAtOnce() goes on with what was begun before it, which nobody has seen", async () => {
  await using house = await warehouse(ONE_CHUNK);
  house.deps.loadAhead = new LoadAhead();
  const job = await house.job(await house.land("a.csv", csv([...events(0, 4), event(2)])));
  beginAtOnce(house.deps, job.input);
  const [begun] = await waitingForTurn(house, 1);
  for (const table of ["files", "chunks", "event_keys", "duplicates"]) {
    assert.equal((await house.admin.unsafe(`select from ingest.${table}`)).length, 0);
  }
  assert.equal((await totals(house)).events, 0);
  const { loaded, duplicates } = await ingest(house, job);
  assert.deepEqual([loaded, duplicates], [4, 1]);
  const [row] = await house.admin`
    select c.xmin::text as transaction, c.attempt
    from ingest.files f join ingest.chunks c using (file_id)`;
  assert.deepEqual({ ...row }, { transaction: begun!.transaction, attempt: 1 });
  assert.deepEqual(await waysOf(house), ["at once"]);
  assert.deepEqual(await totals(house), { events: 4, keys: 4, rolledUp: 4, openChunks: 0 });
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadAtOnce() counts the wait for a turn neither for the load nor for its transaction", async () => {
  await using house = await warehouse(ONE_CHUNK);
  house.deps.loadAhead = new LoadAhead();
  let tookMs = 0;
  house.deps.onChunk = (seconds) => tookMs = seconds * 1000;
  const job = await house.job(await house.land("a.csv", csv(events(0, 4))));
  const begunAt = performance.now();
  beginAtOnce(house.deps, job.input);
  await waitingForTurn(house, 1);
  const idleAt = performance.now();
  // Longer than all else takes.
  const turn = await waitFor(async () => {
    const [row] = await house.admin<{ now: string }[]>`
      select clock_timestamp()::text as now from pg_stat_activity
      where datname = current_database() and state = 'idle in transaction'
        and state_change < clock_timestamp() - interval '0.4 s'`;
    return row?.now;
  }, { what: "a transaction that has waited" });
  const waitedMs = performance.now() - idleAt;
  await ingest(house, job);
  const [file] = await house.admin`
    select started_at >= ${turn}::timestamptz as "startedInTurn", committed_at > started_at as "tookTime"
    from ingest.files`;
  assert.deepEqual({ ...file }, { startedInTurn: true, tookTime: true });
  assert.ok(tookMs > 0 && tookMs <= performance.now() - begunAt - waitedMs, `${tookMs} ms`);
});

Deno.test("loadAtOnce() begins anew with what was not begun, or not for it", async (t) => {
  await using house = await warehouse(ONE_CHUNK);
  house.deps.loadAhead = new LoadAhead();
  const land = async (name: string, text: string) => {
    await renameInto(house, name, text);
    return await house.job(`${house.inbox}/${name}`);
  };
  /** Begins with a file, until only its turn is missing. */
  const begun = async (name: string, text: string) => {
    const job = await land(name, text);
    const letGo = beginAtOnce(house.deps, job.input);
    await waitingForTurn(house, 1);
    return { job, letGo };
  };
  await t.step("a newer version, which waits until the older one is let go", async () => {
    const { letGo } = await begun("a.csv", csv([event(1), event(2)]));
    const newer = ingest(house, await land("a.csv", csv([event(1), event(3), event(4)])));
    await waiting(house, 1);
    letGo();
    assert.equal((await newer).loaded, 3);
  });
  await t.step("a version that has been replaced since: it is not loaded", async () => {
    const older = await begun("b.csv", csv([event(5), event(6)]));
    const newer = await land("b.csv", csv([event(7)]));
    assert.equal((await ingest(house, older.job)).errorCode, "changed");
    assert.equal((await ingest(house, newer)).loaded, 1);
  });
  await t.step("a workflow of another id", async () => {
    const { job, letGo } = await begun("c.csv", csv([event(8)]));
    const other = ingest(house, { ...job, workflowId: "another" });
    await waiting(house, 1);
    letGo();
    assert.equal((await other).loaded, 1);
  });
  await t.step(
    "a file that was let go: nothing of it is locked or kept, but its month",
    async () => {
      const { job, letGo } = await begun(
        "d.csv",
        csv([event(9, { event_time: "2021-07-01T00:00:00Z" })]),
      );
      letGo();
      await waitingForTurn(house, 0);
      const [month] = await house.admin`select to_regclass('shop.events_2021_07') as name`;
      assert.notEqual(month?.name, null, "the month of a file that is not loaded stays");
      assert.deepEqual(await totals(house), { events: 5, keys: 5, rolledUp: 5, openChunks: 0 });
      assert.equal((await ingest(house, job)).loaded, 1);
    },
  );
  await t.step("a file whose connection has ended", async () => {
    const { job } = await begun("e.csv", csv([event(10)]));
    const [session] = await waitingForTurn(house, 1);
    await house.admin`select pg_terminate_backend(${session!.pid})`;
    await waitingForTurn(house, 0);
    assert.equal((await ingest(house, job)).loaded, 1);
  });
  await t.step("a file that could not be read", async () => {
    const { contracts } = house.deps;
    house.deps.contracts = new Map();
    const job = await land("f.csv", csv([event(11)]));
    beginAtOnce(house.deps, job.input);
    await new Promise((resolve) => setImmediate(resolve));
    house.deps.contracts = contracts;
    assert.equal((await ingest(house, job)).loaded, 1);
  });
  assert.deepEqual(await totals(house), { events: 8, keys: 8, rolledUp: 8, openChunks: 0 });
  assert.deepEqual(await house.violations(), []);
});

Deno.test("beginAtOnce() asks nothing of the server for a file that is let go before it has a connection", async () => {
  await using house = await warehouse(ONE_CHUNK);
  const loadAhead = house.deps.loadAhead = new LoadAhead();
  const sql = house.deps.sql = openDatabase(house.url, "ingest", { max: 1 });
  await using disposables = new AsyncDisposableStack();
  disposables.defer(() => sql.end({ timeout: 1 }));
  const held = Promise.withResolvers<Awaited<ReturnType<typeof sql.reserve>>>();
  let begun = 0;
  house.deps.hooks = {
    async beforeChunkTransaction() {
      if (++begun === 1) held.resolve(await sql.reserve());
    },
  };
  const jobs = await Promise.all(
    ["a", "b", "c"].map(async (name, n) =>
      await house.job(await house.land(`${name}.csv`, csv([event(n)])))
    ),
  );
  const [first, second, third] = jobs as [Job, Job, Job];
  const letGo = beginAtOnce(house.deps, first.input);
  const connection = await held.promise;
  // It is asked for behind the hook.
  await new Promise((resolve) => setImmediate(resolve));
  letGo();
  beginAtOnce(house.deps, second.input);
  assert.equal(loadAhead.take(second.workflowId, second.input, LOADER), undefined);
  connection.release();
  const loaded = await waitFor(() => begunAndTaken(house, loadAhead, third), {
    what: "the end of the first",
  });
  assert.equal(loaded.fileId, 1, "no number was drawn before");
  assert.equal(begun, 2);
});

Deno.test("beginAtOnce() writes no events of a file that is let go while it asks what comes first", async () => {
  await using house = await warehouse(ONE_CHUNK);
  house.deps.loadAhead = new LoadAhead();
  // The month is there.
  await ingest(house, await house.land("a.csv", csv([event(0)])));
  const { input } = await house.job(await house.land("b.csv", csv(events(1, 4))));
  const [horizon, table] = [await house.admin.reserve(), await house.admin.reserve()];
  await horizon`begin`;
  await horizon`select from ingest.horizon for update`;
  await table`begin`;
  await table`lock table shop.events in exclusive mode`;
  const letGo = beginAtOnce(house.deps, input);
  await waiting(house, 1);
  letGo();
  await horizon`rollback`;
  const end = await waitFor(async () => {
    const open = await house.admin<{ writes: boolean }[]>`
      select query ~ 'insert into shop.events' and wait_event_type = 'Lock' as writes
      from pg_stat_activity
      where datname = current_database() and application_name = 'clickledger ingest'
        and state <> 'idle'`;
    return open.length === 0 ? "taken back" : open.some(({ writes }) => writes) && "writes";
  }, { what: "the end of the first answer" });
  await table`rollback`;
  for (const connection of [horizon, table]) connection.release();
  assert.equal(end, "taken back");
});

Deno.test("loadAtOnce() loads nothing once it is cancelled", async (t) => {
  await t.step("before it could take what was begun, which is let go", async () => {
    await using house = await warehouse(ONE_CHUNK);
    const loadAhead = house.deps.loadAhead = new LoadAhead();
    const job = await house.job(await house.land("a.csv", csv(events(0, 4))));
    beginAtOnce(house.deps, job.input);
    await waitingForTurn(house, 1);
    const { run, cancel } = cancellable(house, job);
    cancel();
    await assert.rejects(run(), CancelledFailure);
    assert.equal(loadAhead.take(job.workflowId, job.input, LOADER), undefined);
    await waitingForTurn(house, 0);
    assert.deepEqual(await totals(house), { events: 0, keys: 0, rolledUp: 0, openChunks: 0 });
  });
  await t.step("while it read a file that was not begun", async () => {
    await using house = await warehouse(ONE_CHUNK);
    const { run, cancel } = cancellable(
      house,
      await house.job(await house.land("a.csv", csv(events(0, 4)))),
    );
    house.deps.hooks = { beforeChunkTransaction: () => Promise.resolve(cancel()) };
    await assert.rejects(run(), CancelledFailure);
    assert.deepEqual(await totals(house), { events: 0, keys: 0, rolledUp: 0, openChunks: 0 });
  });
});

Deno.test("beginAtOnce() keeps away from what is large, compressed, or out of the ordinary", async () => {
  await using house = await warehouse(ONE_CHUNK);
  const loadAhead = house.deps.loadAhead = new LoadAhead();
  const large = csv(events(0, 999)).padEnd(300_000, "\n");
  /** What was begun with a file comes to; undefined when nothing was. */
  const outcome = async (name: string, text: string) => {
    const { workflowId, input } = await house.job(await house.land(name, text));
    beginAtOnce(house.deps, input);
    return await loadAhead.take(workflowId, input, LOADER);
  };
  assert.equal(await outcome("a.csv", large), undefined);
  assert.equal(await outcome("b.csv.gz", ""), undefined);
  assert.equal(await outcome("c.csv", "a,b\n1,2\n"), null);
  assert.equal((await outcome("d.csv", csv([event(1)])))?.fileId, 1, "no number was drawn before");
});

Deno.test("beginAtOnce() leaves the only connection of a pool to what runs", async () => {
  await using house = await warehouse(ONE_CHUNK);
  for (const [connections, isBegun] of [[1, false], [2, true]] as const) {
    const config = readConfig({
      DATABASE_URL: house.url,
      CLICKLEDGER_DATABASE_POOL: `${connections}`,
    });
    const deps = await workerDeps(config, house.url);
    await using disposables = new AsyncDisposableStack();
    disposables.defer(() => deps.sql.end({ timeout: 1 }));
    const { workflowId, input } = await house.job(await house.land("a.csv", csv([event(1)])));
    beginAtOnce(deps, input);
    const loaded = await deps.loadAhead?.take(workflowId, input, LOADER);
    assert.equal(loaded !== undefined, isBegun, `${connections} connections`);
  }
});

/** What becomes of a file that is begun and taken at once; undefined while there is no room for it. */
async function begunAndTaken(house: Warehouse, loadAhead: FilesAhead, { workflowId, input }: Job) {
  beginAtOnce(house.deps, input);
  return await loadAhead.take(workflowId, input, LOADER);
}
