import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { insertManifest } from "../../activities/statements/insert_manifest.ts";
import { csv, event, events } from "../activities/_events.ts";
import { ingest, unload } from "../activities/_ingest.ts";
import { type Warehouse, warehouse } from "../activities/_warehouse.ts";

Deno.test("ingest.lag tells how long each stage took", async () => {
  await using house = await warehouse();
  await ingest(house, await house.land("a.csv", csv(events(0, 3))));
  await ingest(house, await house.land("b.csv", csv(events(10, 13))));
  await house.admin`
    update ingest.files
    set closed_at = '2026-03-02 10:00:00+00', discovered_at = '2026-03-02 10:00:00.010+00',
        started_at = '2026-03-02 10:00:00.030+00',
        committed_at = '2026-03-02 10:00:00.100+00'::timestamptz + (file_id - 1) * interval '1 second',
        settled_at = '2026-03-02 10:00:02+00'
    where file_id in (1, 2)`;
  await house.admin`update ingest.files set closed_at = null where file_id = 2`;
  const rows = await house.admin`
    select discover_ms, start_ms, load_ms, settle_ms, lag_ms from ingest.lag order by file_id`;
  assert.deepEqual(rows.map((row) => Object.values(row).map(Number)), [
    [10, 20, 70, 1900, 100],
    [0, 20, 1070, 900, 1090],
  ]);
  const [minute] = await house.admin`select * from ingest.lag_by_minute`;
  assert.deepEqual(
    [
      minute?.minute.toISOString(),
      ...["files", "p50_ms", "p95_ms", "max_ms"].map((name) => Number(minute?.[name])),
    ],
    ["2026-03-02T10:00:00.000Z", 2, 595, 1040.5, 1090],
  );
});

Deno.test("ingest.completeness() misses numbers of the generator, and names files that are not loaded", async () => {
  await using house = await warehouse();
  const land = async (name: string, n: number, text = csv([event(n)])) =>
    await ingest(house, await house.land(`events-20260302T${name}.csv`, text));
  await land("100000Z-000004", 0);
  await land("100500Z-000005", 1);
  await land("101000Z-000008", 2);
  // Another stream, which begins anew.
  await land("110500Z-000000", 3);
  await land("111000Z-000001", 4, "a,b\n1,2\n");
  assert.deepEqual(await intervals(house), [
    ["10:00", 3, 3, 2, ["2 before events-20260302T101000Z-000008.csv: missing"], false],
    ["11:00", 2, 1, 0, ["events-20260302T111000Z-000001.csv: failed"], false],
    ["12:00", 0, 0, 0, [], true],
  ]);
  // Late files complete their interval, and so does a corrected one.
  await land("100700Z-000006", 5);
  const taken = await land("100800Z-000007", 6);
  await land("111000Z-000001", 7);
  assert.deepEqual((await intervals(house)).map((row) => row.at(-1)), [true, true, true]);
  await unload(house, taken.fileId);
  assert.deepEqual((await intervals(house))[0]?.slice(3), [
    1,
    ["1 before events-20260302T101000Z-000008.csv: missing"],
    false,
  ]);
});

Deno.test("ingest.manifest_checks compares what was said with what was loaded", async (t) => {
  await using house = await warehouse();
  const text = csv([event(1, { price: "2.50" }), event(2, { price: "1.00" })]);
  const sha256 = createHash("sha256").update(text).digest("hex");
  await ingest(house, await house.land("a.csv", text));
  await ingest(house, await house.land("copy.csv", text));
  await ingest(house, await house.land("bad.csv", "x\n1\n"));
  const nothing = { rows: null, amount: null, sha256: null, error: null };
  const cases: [string, string, Partial<typeof nothing> | Record<string, unknown>][] = [
    ["complete", "a.csv", { rows: 2, amount: "3.50", sha256 }],
    ["complete", "copy.csv", { rows: 2, sha256 }],
    ["short", "a.csv", { rows: 3 }],
    ["long", "a.csv", { rows: 1 }],
    ["altered", "a.csv", { rows: 2, sha256: "0".repeat(64) }],
    ["amount differs", "a.csv", { amount: "3.51" }],
    ["missing", "never.csv", { rows: 1 }],
    ["failed", "bad.csv", { rows: 1 }],
    ["unreadable", "b.csv", { error: "it is no JSON" }],
  ];
  for (const [verdict, fileName, said] of cases) {
    await t.step(`${verdict}: ${fileName}`, async () => {
      await house.admin`delete from ingest.manifests`;
      const manifest = { inboxId: house.inboxId, fileName, ...nothing, ...said };
      await insertManifest(house.deps.sql, manifest as Parameters<typeof insertManifest>[1]);
      await insertManifest(house.deps.sql, manifest as Parameters<typeof insertManifest>[1]);
      const rows = await house.admin`select verdict from ingest.manifest_checks`;
      assert.deepEqual(rows.map((row) => row.verdict), [verdict], "said twice, stored once");
      const [hour] = await house.admin`
        select named, is_complete from ingest.completeness('1 hour', now() - interval '1 minute', now() + interval '1 minute')
        where cardinality(named) > 0`;
      assert.deepEqual(
        hour?.named,
        verdict === "complete" ? undefined : [`${fileName}: ${verdict}`],
      );
    });
  }
});

async function intervals({ admin }: Warehouse) {
  const rows = await admin`
    select to_char(starts_at, 'HH24:MI') as at, files::int, loaded::int, missing::int, named, is_complete
    from ingest.completeness('1 hour', '2026-03-02 10:00+00', '2026-03-02 13:00+00')`;
  return rows.map((row) => Object.values(row));
}
