import assert from "node:assert/strict";
import { openDatabase } from "../../activities/database.ts";
import { EVENT_HEADER, writeEvents } from "../../domain/generator/write_events.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { readConfig } from "../../scripts/config.ts";
import { DryLoad } from "../../scripts/ingest/dry_run.ts";
import { feedSettings, workerDeps } from "../../scripts/services/pipeline_settings.ts";
import { claim, ingest } from "../activities/_ingest.ts";
import { type Warehouse, warehouse } from "../activities/_warehouse.ts";
import { eventRows } from "../event_lines.ts";
import { loadedAs } from "./_loaded_as.ts";

const HEADER = EVENT_HEADER.trimEnd();
const EVENTS = 40;
const PRICE = SHOP_EVENTS.columns.findIndex(({ name }) => name === "price");

/** A file, the settings of its feed, and what must become of it. */
interface Case {
  name: string;
  env: Record<string, string>;
  bytes: string;
  state: "loaded" | "failed";
  errorCode?: string;
  rejected?: number;
  extras?: unknown[];
}

/** Sound events with one more column. */
function withColumn(name: string, cell: string): string {
  const rows = eventRows({ seed: 81, rows: EVENTS });
  return `${HEADER},${name}\n${writeEvents(rows.map((row) => [...row, cell]))}`;
}

/** So many of the events at fault, the last ones, so that chunks before them are committed. */
function withRejects(count: number): string {
  const rows = eventRows({ seed: 82, rows: EVENTS });
  return EVENT_HEADER +
    writeEvents(rows.map((row, n) => n < EVENTS - count ? row : row.with(PRICE, "free")));
}

const CASES: readonly Case[] = [
  {
    name: "an unknown column, nothing set",
    env: {},
    bytes: withColumn("campaign", "spring"),
    state: "loaded",
    extras: [{ campaign: "spring" }],
  },
  {
    name: "an unknown column, to be rescued",
    env: { CLICKLEDGER_DRIFT: "rescue" },
    bytes: withColumn("campaign", "spring"),
    state: "loaded",
    extras: [{ campaign: "spring" }],
  },
  {
    name: "an unknown column, to be ignored",
    env: { CLICKLEDGER_DRIFT: "ignore" },
    bytes: withColumn("campaign", "spring"),
    state: "loaded",
    extras: [null],
  },
  {
    name: "an unknown column, to be refused",
    env: { CLICKLEDGER_DRIFT: "fail" },
    bytes: withColumn("campaign", "spring"),
    state: "failed",
    errorCode: "unexpected_column",
  },
  {
    name: "as many rejects as allowed",
    env: { CLICKLEDGER_MAX_REJECTS: "4" },
    bytes: withRejects(4),
    state: "loaded",
    rejected: 4,
  },
  {
    name: "one reject more than allowed",
    env: { CLICKLEDGER_MAX_REJECTS: "4" },
    bytes: withRejects(5),
    state: "failed",
    errorCode: "error_budget",
  },
  {
    name: "a single reject where none is allowed",
    env: { CLICKLEDGER_MAX_REJECTS: "0" },
    bytes: withRejects(1),
    state: "failed",
    errorCode: "error_budget",
  },
  {
    name: "as large a share of rejects as allowed",
    env: { CLICKLEDGER_MAX_REJECT_SHARE: "0.1" },
    bytes: withRejects(4),
    state: "loaded",
    rejected: 4,
  },
  {
    name: "a larger share of rejects than allowed",
    env: { CLICKLEDGER_MAX_REJECT_SHARE: "0.1" },
    bytes: withRejects(5),
    state: "failed",
    errorCode: "error_budget",
  },
];

Deno.test("Settings of a feed → drift and error budget decide, as a dry run said", async (t) => {
  for (const { name, env, bytes, state, errorCode, rejected = 0, extras } of CASES) {
    await t.step(`${name} → ${errorCode ?? state}`, async () => {
      await using house = await configuredWarehouse(env);
      const sql = openDatabase(house.url, "reader");
      await using _reader = { [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }) };
      const path = await house.land("a.csv", bytes);
      const load = new DryLoad({
        ...feedSettings(readConfig(env)),
        chunkBytes: house.deps.chunkBytes,
        maxExpandedBytes: house.deps.expansion.maxBytes,
        sql,
      });
      const { source: _source, ...dry } = await load.read({
        path,
        name: "a.csv",
        sizeBytes: bytes.length,
      });
      const result = await ingest(house, path);
      assert.deepEqual([result.state, result.errorCode, result.rejected], [
        state,
        errorCode,
        rejected,
      ]);
      const loaded = await loadedAs(house.admin, result.fileId);
      // The workflow's own words for a file that it gave up.
      const failure = errorCode === "error_budget" ? { failure: loaded.failure } : {};
      assert.deepEqual({ ...dry, ...failure }, loaded);
      if (state === "failed") await assertNothingLeft(house);
      if (extras !== undefined) {
        const rows = await house.admin`select distinct extras from shop.events`;
        assert.deepEqual(rows.map((row) => row.extras), extras);
      }
      assert.deepEqual(await house.violations(), []);
    });
  }
});

Deno.test("Drift mode set to fail in the middle of a file → it is loaded to its end", async () => {
  await using house = await configuredWarehouse({});
  const job = await house.job(await house.land("a.csv", withColumn("campaign", "spring")));
  const claimed = await claim(house, job);
  const { chunks } = claimed;
  assert.ok(chunks >= 2);
  await house.run("loadSpan", job, { claim: claimed, firstChunk: 0, endChunk: 1 });
  house.deps.contracts = (await configuredDeps({ CLICKLEDGER_DRIFT: "fail" }, house)).contracts;
  await house.run("loadSpan", job, { claim: claimed, firstChunk: 1, endChunk: chunks });
  const result = await house.run("settleFile", job, claimed);
  assert.deepEqual([result.state, result.loaded], ["loaded", EVENTS]);
  const refused = await ingest(house, await house.land("b.csv", withColumn("coupon", "x")));
  assert.equal(refused.errorCode, "unexpected_column");
});

/** A worker as these settings make it; its pool, folders and chunks are the test's. */
async function configuredWarehouse(env: Record<string, string>): Promise<Warehouse> {
  const house = await warehouse();
  const { contracts, errorBudget } = await configuredDeps(env, house);
  house.deps.contracts = contracts;
  house.deps.errorBudget = errorBudget;
  return house;
}

async function configuredDeps(env: Record<string, string>, { url }: Pick<Warehouse, "url">) {
  const deps = await workerDeps(readConfig({ ...env, DATABASE_URL: url }), url);
  await deps.sql.end();
  return deps;
}

async function assertNothingLeft({ admin, deps }: Warehouse): Promise<void> {
  const [left] = await admin`
    select (select count(*) from shop.events)::integer as events,
           (select count(*) from ingest.event_keys)::integer as keys,
           (select count(*) from ingest.duplicates)::integer as duplicates,
           (select count(*) from ingest.chunks where committed_at is not null)::integer as committed,
           (select coalesce(sum(loaded + duplicates + rejected), 0) from ingest.chunks)::integer as counted`;
  assert.deepEqual({ ...left }, {
    events: 0,
    keys: 0,
    duplicates: 0,
    committed: 0,
    counted: 0,
  });
  const [file] =
    await admin`select archive_path, settled_at is not null as settled from ingest.files`;
  assert.equal(file?.settled, true);
  assert.ok(file.archive_path.startsWith(`${deps.directories.failed}/`));
}
