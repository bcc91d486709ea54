import assert from "node:assert/strict";
import type { ActivityDeps } from "../../activities/create_activities.ts";
import type { IngestFileResult } from "../../domain/ingest_api.ts";
import { openDatabase } from "../../activities/database.ts";
import { LoadAhead } from "../../activities/load_ahead.ts";
import { beginAtOnce } from "../../activities/load_at_once.ts";
import { waitFor } from "../harness.ts";
import { ONE_CHUNK, renameInto, waiting, waitingForTurn, waysOf } from "./_at_once.ts";
import { csv, event, eventId, events } from "./_events.ts";
import { claim, ingest } from "./_ingest.ts";
import { tcpProxy } from "./_tcp_proxy.ts";
import { totals } from "./_totals.ts";
import { type Warehouse, warehouse } from "./_warehouse.ts";

Deno.test("loadAtOnce() commits all of a plain file in one transaction", async () => {
  await using house = await warehouse(ONE_CHUNK);
  const text = csv([...events(0, 40), event(41, { price: "x" }), event(3)]);
  const result = await ingest(house, await house.land("a.csv", text));
  assert.deepEqual(
    [result.state, result.records, result.loaded, result.duplicates, result.rejected],
    ["loaded", 42, 40, 1, 1],
  );
  const transactions = await house.admin`
    select xmin::text from ingest.chunks union select xmin::text from ingest.event_keys
    union select xmin::text from shop.events union select xmin::text from ingest.rejects
    union select xmin::text from ingest.duplicates union select xmin::text from shop.minute_rollup_delta
    union select xmin::text from shop.products`;
  assert.equal(transactions.length, 1);
  assert.deepEqual(await waysOf(house), ["at once"]);
  assert.deepEqual(await totals(house), { events: 40, keys: 40, rolledUp: 40, openChunks: 0 });
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadAtOnce() claims its keys along with begin, and none where that is refused", async () => {
  await using house = await warehouse(ONE_CHUNK);
  await using proxy = await tcpProxy(house.url);
  house.deps.sql = openDatabase(proxy.url, "ingest", { max: 1 });
  await using disposables = new AsyncDisposableStack();
  disposables.defer(() => house.deps.sql.end({ timeout: 1 }));
  const load = async (n: number) =>
    await ingest(house, await house.land(`${n}.csv`, csv(events(n * 10, n * 10 + 5))));
  const keys = async () => (await house.admin`select from ingest.event_keys`).length;
  // The first asks the server also what parameters its statements have.
  await load(1);
  const claimed = Promise.withResolvers<void>();
  house.deps.hooks = {
    beforeChunkTransaction() {
      const release = proxy.holdAnswers();
      void haveClaimed(house).finally(release).then(claimed.resolve, claimed.reject);
      return Promise.resolve();
    },
  };
  const [{ loaded }] = await Promise.all([load(2), claimed.promise]);
  assert.equal(loaded, 5);
  delete house.deps.hooks;
  const quote = proxy.misquote("begin isolation", "begun isolation");
  const refused = await house.job(await house.land("3.csv", csv(events(30, 35))));
  await assert.rejects(house.run("ingestSmallFile", refused, refused.input), /SQLSTATE 42601/);
  quote();
  assert.equal(await keys(), 10);
  const { fileId } = await load(4);
  assert.equal(fileId, 4, "the one that was refused has drawn a number");
  assert.deepEqual(await totals(house), { events: 15, keys: 15, rolledUp: 15, openChunks: 0 });
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadAtOnce() leaves a crash nothing, or a loaded file to be moved", async (t) => {
  for (const hook of ["beforeChunkTransaction", "afterComplete", "beforeMove"] as const) {
    await t.step(hook, async () => {
      await using house = await warehouse(ONE_CHUNK);
      const job = await house.job(await house.land("a.csv", csv(events(0, 10))));
      house.deps.hooks = { [hook]: () => Promise.reject(new Error("crash")) };
      await assert.rejects(house.run("ingestSmallFile", job, job.input), /crash/);
      const rows = await house.admin`select state from ingest.files`;
      const expected = hook === "beforeChunkTransaction" ? [] : ["loaded"];
      assert.deepEqual(rows.map(({ state }) => state), expected);
      delete house.deps.hooks;
      const { state, loaded, archivePath } = await ingest(house, job);
      assert.deepEqual([state, loaded], ["loaded", 10]);
      assert.equal(archivePath, `${house.deps.directories.archive}/a.1.csv`);
      await Deno.lstat(archivePath);
      assert.deepEqual(await house.violations(), []);
    });
  }
});

Deno.test("loadAtOnce() lets attempts of one workflow race", async () => {
  await using house = await warehouse(ONE_CHUNK);
  const job = await house.job(await house.land("a.csv", csv(events(0, 30))));
  const together = meet(house, 3);
  const results = await Promise.all([1, 2, 3].map(() => ingest(house, job)));
  assert.equal(together.met(), true);
  for (const result of results) assert.deepEqual([result.state, result.loaded], ["loaded", 30]);
  assert.equal((await house.admin`select from ingest.files`).length, 1);
  assert.deepEqual(await totals(house), { events: 30, keys: 30, rolledUp: 30, openChunks: 0 });
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadAtOnce() lets files of the same bytes race: one loads, the others are duplicates", async () => {
  await using house = await warehouse(ONE_CHUNK);
  const text = csv(events(0, 30));
  const paths = await Promise.all(["a", "b", "c"].map((name) => house.land(`${name}.csv`, text)));
  const together = meet(house, 3);
  const results = await Promise.all(paths.map((path) => ingest(house, path)));
  assert.equal(together.met(), true);
  assert.deepEqual(
    results.map(({ state }) => state).toSorted(),
    ["duplicate", "duplicate", "loaded"],
  );
  assert.deepEqual(await totals(house), { events: 30, keys: 30, rolledUp: 30, openChunks: 0 });
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadAtOnce() lets files of the same bytes race also where no key tells", async () => {
  await using house = await warehouse(ONE_CHUNK);
  const text = csv([event(1, { price: "x" }), event(2, { price: "x" })]);
  const paths = await Promise.all(["a", "b", "c"].map((name) => house.land(`${name}.csv`, text)));
  const together = meet(house, 3);
  const results = await Promise.all(paths.map((path) => ingest(house, path)));
  assert.equal(together.met(), true);
  assert.deepEqual(
    results.map(({ state }) => state).toSorted(),
    ["duplicate", "duplicate", "loaded"],
  );
  assert.equal((await house.admin`select from ingest.rejects`).length, 2);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadAtOnce() refuses the bytes of a file that commits while its own keys are waited for", async () => {
  await using house = await warehouse(ONE_CHUNK);
  const text = csv(events(0, 5));
  const hold = await house.admin.reserve();
  await hold`begin`;
  await hold`
    insert into ingest.event_keys (event_id, event_time, file_id, content_hash, line_number)
    values (${eventId(4)}, now(), 0, 0, 6)`;
  // The first waits for the last key and has all others; the second waits for it at its first.
  const results = [ingest(house, await house.land("a.csv", text))];
  await waiting(house, 1);
  results.push(ingest(house, await house.land("b.csv", text)));
  await waiting(house, 2);
  await hold`rollback`;
  hold.release();
  const [first, second] = await Promise.all(results);
  assert.deepEqual([first?.state, second?.state], ["loaded", "duplicate"]);
  assert.deepEqual([second?.duplicateOf, second?.duplicates], [first?.fileId, 0]);
  assert.equal((await house.admin`select from ingest.duplicates`).length, 0);
  assert.deepEqual(await totals(house), { events: 5, keys: 5, rolledUp: 5, openChunks: 0 });
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadAtOnce() lets files that share events race without a deadlock", async () => {
  await using house = await warehouse(ONE_CHUNK);
  const shared = events(0, 200);
  const texts = [shared, shared.toReversed(), [...shared, event(900)]].map(csv);
  const paths = await Promise.all(texts.map((text, i) => house.land(`${i}.csv`, text)));
  meet(house, texts.length);
  const results = await Promise.all(paths.map((path) => ingest(house, path)));
  assert.equal(results.reduce((sum, { loaded }) => sum + loaded, 0), 201);
  assert.deepEqual(await waysOf(house), ["at once", "at once", "at once"]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadAtOnce() lets files that describe the same products race: the newest tells", async () => {
  await using house = await warehouse(ONE_CHUNK);
  const files = ["early", "late", "earliest"].map((name, file) =>
    Array.from({ length: 100 }, (_, n) =>
      event(1000 * file + n, {
        product_id: `P-${n}`,
        product_name: name,
        event_time: `2026-01-05T12:0${[5, 9, 1][file]}:00Z`,
      }))
  );
  files[1]!.reverse();
  const paths = await Promise.all(files.map((events, i) => house.land(`${i}.csv`, csv(events))));
  const together = meet(house, files.length);
  await Promise.all(paths.map((path) => ingest(house, path)));
  assert.equal(together.met(), true);
  assert.deepEqual(await waysOf(house), ["at once", "at once", "at once"]);
  const [products] = await house.admin`
    select count(*)::int, min(product_name) as first, max(product_name) as last from shop.products`;
  assert.deepEqual({ ...products }, { count: 100, first: "late", last: "late" });
});

Deno.test("loadAtOnce() knows no product by a transaction that was taken back", async () => {
  await using house = await warehouse(ONE_CHUNK);
  await house.admin`
    create function public.refuse() returns trigger language plpgsql as $$
    begin
      raise exception using errcode = '40001';
    end $$`;
  await house.admin`
    create constraint trigger refuse after insert on ingest.files deferrable initially deferred
    for each row when (new.state = 'loaded') execute function public.refuse()`;
  const { state } = await ingest(house, await house.land("a.csv", csv(events(0, 10))));
  assert.equal(state, "loaded");
  assert.deepEqual(await waysOf(house), ["step by step"]);
  const [products] = await house.admin`select count(*)::int from shop.products`;
  assert.equal(products?.count, 10);
});

Deno.test("loadAtOnce() takes another name when the archive has a file of its own", async () => {
  await using house = await warehouse(ONE_CHUNK);
  const { archive } = house.deps.directories;
  await Deno.writeTextFile(`${archive}/a.1.csv`, "of another database");
  const { archivePath } = await ingest(house, await house.land("a.csv", csv(events(0, 3))));
  assert.equal(archivePath, `${archive}/a.1.2.csv`);
  assert.equal(await Deno.readTextFile(`${archive}/a.1.csv`), "of another database");
});

/** What the warehouse may hold before, and what comes then: all of it plain, so that it is loaded at once. */
const PLAIN: readonly { name: string; files: readonly [name: string, content: string][] }[] = [
  {
    name: "records broken, twice, in conflict, and before the horizon",
    files: [
      ["a.csv", csv(events(0, 10))],
      [
        "b.csv",
        csv([
          ...events(8, 12),
          event(3, { price: "9.99" }),
          event(20),
          event(20),
          event(20, { price: "9.98" }),
          event(21, { price: "x" }),
          event(22, { event_time: "2025-11-30T23:59:59Z" }),
          event(3, { event_time: "2025-11-30T23:59:59Z" }),
          event(23, {
            product_id: "P-1",
            product_name: "another",
            event_time: "2026-01-06T00:00:00Z",
          }),
        ]),
      ],
    ],
  },
  {
    name: "a newer version",
    files: [
      ["a.csv", csv(events(0, 3))],
      ["a.csv", csv([event(1), event(2, { price: "1.11" }), event(4)])],
    ],
  },
  { name: "nothing but rejects", files: [["a.csv", csv([event(1, { price: "x" })])]] },
  {
    name: "columns of its own, another delimiter and order, no last line end",
    files: [[
      "a.csv",
      csv(events(0, 4)).trimEnd().split("\n")
        .map((row, n) =>
          [["Campaign", "", "a", "b\\", ""][n], ...row.split(",")].reverse().join(";")
        )
        .join("\r\n"),
    ]],
  },
  {
    name: "a quote that stays open",
    files: [["a.csv", `${csv(events(0, 3))}"${csv(events(3, 5))}`]],
  },
];

Deno.test("loadAtOnce() leaves the same behind as the single steps, begun before or not", async (t) => {
  for (const { name, files } of PLAIN) {
    await t.step(name, async () => {
      const ways = [ingest, ingestAhead, ingestByStep];
      const [atOnce, ahead, stepByStep] = await Promise.all(ways.map(async (load) => {
        await using house = await warehouse(ONE_CHUNK);
        await house.admin`update ingest.horizon set events_from = '2025-12-01 00:00:00+00'`;
        for (const [name, content] of files) await load(house, await house.land(name, content));
        assert.deepEqual(await house.violations(), []);
        return { ways: new Set(await waysOf(house)), left: await everything(house) };
      }));
      assert.deepEqual(
        [...atOnce!.ways, ...ahead!.ways, ...stepByStep!.ways],
        ["at once", "at once", "step by step"],
      );
      assert.deepEqual(atOnce!.left, stepByStep!.left);
      assert.deepEqual(ahead!.left, stepByStep!.left);
    });
  }
});

async function ingestAhead(house: Warehouse, path: string): Promise<IngestFileResult> {
  const { deps } = house;
  deps.loadAhead ??= new LoadAhead();
  const job = await house.job(path);
  beginAtOnce(deps, job.input);
  await waitingForTurn(house, 1);
  return await ingest(house, job);
}

async function ingestByStep(house: Warehouse, path: string): Promise<IngestFileResult> {
  const job = await house.job(path);
  const claimed = await claim(house, job);
  await house.run("loadSpan", job, { claim: claimed, firstChunk: 0, endChunk: claimed.chunks });
  return await house.run("settleFile", job, claimed);
}

/** All tables of a warehouse, without what tells one run from another. */
async function everything({ admin }: Warehouse): Promise<Record<string, string[]>> {
  const tables = ["files", "chunks", "event_keys", "duplicates", "rejects"].map((name) =>
    `ingest.${name}`
  );
  const views = ["events", "products", "minute_rollup", "product_rollup"].map((name) =>
    `shop.${name}`
  );
  const entries = [...tables, ...views].map(async (relation) => {
    const rows = await admin.unsafe<{ row: string }[]>(`
      select (to_jsonb(r) - array['inbox_id', 'path', 'ino', 'mtime_ms', 'ctime_ms', 'workflow_id', 'run_id',
                'closed_at', 'discovered_at', 'started_at', 'committed_at', 'settled_at', 'created_at', 'processed_at']
              || jsonb_build_object('archive_path', regexp_replace(to_jsonb(r) ->> 'archive_path', '^.*/', '')))::text as row
      from ${relation} r order by row`);
    return [relation, rows.map(({ row }) => row)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** What is left to the single steps, which say what it is. */
const OTHERS: readonly {
  name: string;
  before?: string;
  content: string | Uint8Array;
  deps?: Partial<ActivityDeps>;
  expected: [state: string, loaded: number];
}[] = [
  {
    name: "the same bytes again",
    before: csv(events(0, 5)),
    content: csv(events(0, 5)),
    expected: ["duplicate", 0],
  },
  {
    name: "a version that grew from one whose last record was cut",
    before: csv(events(0, 5)).slice(0, -4),
    content: csv(events(0, 6)),
    expected: ["loaded", 2],
  },
  {
    name: "several chunks",
    content: csv(events(0, 40)),
    deps: { chunkBytes: 2_000 },
    expected: ["loaded", 40],
  },
  { name: "no records", content: csv([]), expected: ["loaded", 0] },
  { name: "nothing", content: "", expected: ["failed", 0] },
  { name: "no header of ours", content: "a,b\n1,2\n", expected: ["failed", 0] },
  { name: "UTF-16", content: utf16(csv(events(0, 5))), expected: ["loaded", 5] },
  {
    name: "more rejects than allowed",
    content: csv([event(1), event(2, { price: "x" })]),
    deps: { errorBudget: { maxRejects: 0 } },
    expected: ["failed", 0],
  },
];

Deno.test("loadAtOnce() leaves what is not plain to the single steps", async (t) => {
  for (const { name, before, content, deps, expected } of OTHERS) {
    await t.step(name, async () => {
      await using house = await warehouse({ ...ONE_CHUNK, ...deps });
      if (before !== undefined) await ingest(house, await house.land("a.csv", before));
      const { fileId, state, loaded } = await ingest(house, await house.land("a.csv", content));
      assert.deepEqual([state, loaded], expected);
      // No number was drawn in vain.
      assert.equal(fileId, before === undefined ? 1 : 2);
      assert.equal((await waysOf(house)).at(-1), "step by step");
      assert.deepEqual(await house.violations(), []);
    });
  }
});

Deno.test("loadAtOnce() leaves a version that changed since discovery to the single steps", async () => {
  await using house = await warehouse(ONE_CHUNK);
  const path = await house.land("a.csv", csv(events(0, 5)));
  const job = await house.job(path);
  await Deno.writeTextFile(path, csv(events(5, 11)));
  assert.deepEqual((await ingest(house, job)).errorCode, "changed");
  assert.deepEqual(await totals(house), { events: 0, keys: 0, rolledUp: 0, openChunks: 0 });
});

Deno.test("loadAtOnce() writes nothing into a newer schema", async (t) => {
  const changes = {
    "that looks the same": "select",
    "whose keys are others": "alter table ingest.event_keys rename column line_number to line",
  };
  for (const [name, change] of Object.entries(changes)) {
    await t.step(name, async () => {
      await using house = await warehouse(ONE_CHUNK);
      await house.admin.unsafe(change);
      const version = house.deps.schemaVersion + 1;
      await house.admin`
        insert into ingest.migrations (version, name, checksum) values (${version}, 'later', '')`;
      const job = await house.job(await house.land("a.csv", csv(events(0, 5))));
      await assert.rejects(house.run("ingestSmallFile", job, job.input), { type: "SchemaTooNew" });
      assert.equal((await house.admin`select from ingest.event_keys`).length, 0);
    });
  }
});

/** Takes the place of a file that was discovered. */
const IN_ITS_PLACE = {
  "a link to it": async (path: string) => {
    await Deno.rename(path, `${path}.part`);
    await Deno.symlink(`${path}.part`, path);
  },
  // Whoever opened it and waited for its writer would do so for ever, with all of the process.
  "a FIFO": async (path: string) => {
    await Deno.remove(path);
    const { success } = await new Deno.Command("mkfifo", { args: [path] }).output();
    assert.ok(success);
  },
} as const;

Deno.test("loadAtOnce() reads regular files only", async (t) => {
  for (const [name, replace] of Object.entries(IN_ITS_PLACE)) {
    await t.step({
      name,
      ignore: Deno.build.os === "windows",
      fn: async () => {
        await using house = await warehouse(ONE_CHUNK);
        const path = await house.land("a.csv", csv(events(0, 5)));
        const job = await house.job(path);
        await replace(path);
        assert.equal((await ingest(house, job)).errorCode, "refused");
        assert.deepEqual(await totals(house), { events: 0, keys: 0, rolledUp: 0, openChunks: 0 });
      },
    });
  }
});

/** A version that was read while its writer paused within the last record, and the whole one. */
const CUT = csv(events(0, 5)).slice(0, -4);
const WHOLE = csv(events(0, 6));

Deno.test("loadAtOnce() leaves a version out whose newer one has come before its transaction", async () => {
  await using house = await warehouse(ONE_CHUNK);
  const older = await house.job(await house.land("a.csv", CUT));
  const [read, newerLoaded] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  house.deps.hooks = {
    beforeChunkTransaction() {
      read.resolve();
      return newerLoaded.promise;
    },
  };
  const result = ingest(house, older);
  await read.promise;
  delete house.deps.hooks;
  await renameInto(house, "a.csv", WHOLE);
  await ingest(house, `${house.inbox}/a.csv`);
  newerLoaded.resolve();
  assert.equal((await result).errorCode, "vanished");
  assert.deepEqual(await totals(house), { events: 6, keys: 6, rolledUp: 6, openChunks: 0 });
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadAtOnce() is waited for by the newer version, which takes the cut record out of it", async () => {
  await using house = await warehouse(ONE_CHUNK);
  const hold = await house.admin.reserve();
  await hold`begin`;
  // It has seen that its version lies there, and writes what comes last.
  await hold`lock table ingest.chunks in exclusive mode`;
  const results = [ingest(house, await house.land("a.csv", CUT))];
  await waiting(house, 1);
  await renameInto(house, "a.csv", WHOLE);
  results.push(ingest(house, `${house.inbox}/a.csv`));
  await waiting(house, 2);
  await hold`rollback`;
  hold.release();
  const [older, newer] = await Promise.all(results);
  assert.deepEqual([older?.state, newer?.state, newer?.loaded], ["loaded", "loaded", 2]);
  const rejects = await house.admin`select state from ingest.rejects`;
  assert.deepEqual(rejects.map(({ state }) => state), ["withdrawn"]);
  assert.deepEqual(await totals(house), { events: 6, keys: 6, rolledUp: 6, openChunks: 0 });
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadAtOnce() waits for a migration before it locks what that may want", async () => {
  await using house = await warehouse(ONE_CHUNK);
  const hold = await house.admin.reserve();
  await hold`begin`;
  await hold`lock table ingest.files in exclusive mode`;
  const result = ingest(house, await house.land("a.csv", csv(events(0, 5))));
  await waiting(house, 1);
  await hold`set local lock_timeout = '1s'`;
  await hold`select from ingest.horizon for update`;
  await hold`lock table ingest.files, ingest.event_keys, shop.events in access exclusive mode`;
  await hold`commit`;
  hold.release();
  assert.equal((await result).state, "loaded");
  assert.deepEqual(await waysOf(house), ["at once"]);
});

/** Waits until a session has inserted keys, and has not been told to go on. */
async function haveClaimed(house: Warehouse): Promise<void> {
  await waitFor(async () => {
    const sessions = await house.admin`
      select from pg_stat_activity
      where datname = current_database() and state = 'idle in transaction'
        and query like '%with ledger as%'`;
    return sessions.length > 0;
  }, { what: "keys before any answer" });
}

/** Lets so many attempts meet before their transactions. */
function meet(house: Warehouse, attempts: number): { met: () => boolean } {
  let waiting = 0;
  house.deps.hooks = {
    async beforeChunkTransaction() {
      waiting++;
      await waitFor(() => waiting >= attempts, { what: "all attempts to come this far" });
    },
  };
  return { met: () => waiting >= attempts };
}

function utf16(text: string): Uint8Array {
  const units = Uint16Array.from(`\ufeff${text}`, (character) => character.charCodeAt(0));
  return new Uint8Array(units.buffer);
}
