import assert from "node:assert/strict";
import { openDatabase } from "../../../activities/database.ts";
import { DemoFiles } from "../../../scripts/demo/demo_files.ts";
import { historyNames, holdsHistory } from "../../../scripts/demo/land_history.ts";
import { tempDir, testDatabase } from "../../harness.ts";

const START = Date.UTC(2026, 5, 1, 12);
const INBOX = "11111111-1111-4111-8111-111111111111";

Deno.test("DemoFiles counts by name, and names what is missing", async () => {
  await using database = await testDatabase();
  await using inbox = await tempDir();
  const sql = openDatabase(database.url, "ingest");
  const add = async (name: string, { settled = true, copyOf = null as number | null } = {}) => {
    const [row] = await database.sql`
      insert into ingest.files (feed, contract_version, inbox_id, path, file_name, ino, size_bytes,
        mtime_ms, ctime_ms, workflow_id, discovered_at, settled_at, committed_at, state, duplicate_of,
        records, loaded, duplicates, rejected)
      values ('shop_events', 1, ${INBOX}, ${name}, ${name}, 1, 1, 1, 1, ${crypto.randomUUID()}, now(),
        ${settled ? new Date() : null}, ${settled ? new Date() : null},
        ${!settled ? "loading" : copyOf === null ? "loaded" : "duplicate"}, ${copyOf},
        ${settled ? 10 : null}, ${settled ? 7 : null}, ${settled ? 2 : null}, ${settled ? 1 : null})
      returning file_id::int`;
    return row?.file_id as number;
  };
  try {
    const old = await add("events-20260601T115900Z-000001.csv");
    await Deno.writeTextFile(`${inbox.path}/events-20260601T115959Z-000002.csv`, "");
    const files = await DemoFiles.begin(sql, { inbox: inbox.path, inboxId: INBOX });
    files.expectHistory([
      "events-20260601T100000Z-000000.csv",
      "events-20260601T110000Z-000001.csv",
    ]);
    files.expectLive(START);
    files.addHistory(10);
    files.addHistory(10);

    await add("events-20260601T100000Z-000000.csv", { copyOf: old });
    await add("events-20260601T115959Z-000002.csv");
    await add("events-20260601T120001Z-000001.csv", { settled: false });
    await add("events-20240101T000000Z-000001.csv");
    await add("mine.csv");
    files.addLive({ files: 2, events: 20 });
    await add("events-20260601T120005Z-000003.csv");

    assert.deepEqual(files.landed, { files: 4, events: 40 });
    const { files: known, settled, loading, records, loaded, duplicates, rejected, ...others } =
      await files.progress();
    // The same bytes as an older file's: all that it brought was there already.
    assert.deepEqual(
      { known, settled, loading, records, loaded, duplicates, rejected },
      { known: 2, settled: 1, loading: 1, records: 10, loaded: 0, duplicates: 9, rejected: 1 },
    );
    assert.equal(others.yoursLoaded, 3);
    await add("events-20260601T130000Z-000001.csv");
    assert.equal(
      await files.describeMissing(),
      "not in the ledger: events-20260601T110000Z-000001.csv, file 2 of the generator; " +
        "not settled: events-20260601T120001Z-000001.csv; more than one file 1: " +
        "events-20260601T120001Z-000001.csv, events-20260601T130000Z-000001.csv",
    );
  } finally {
    await sql.end({ timeout: 1 });
  }
});

Deno.test("holdsHistory() wants every file of one history", () => {
  const names = historyNames(START);
  const later = historyNames(START + 3_000);
  assert.ok(holdsHistory(new Set([...later.slice(0, 5), ...names])));
  assert.ok(!holdsHistory(new Set([...names.slice(0, 19), ...later.slice(0, 5)])));
  assert.ok(!holdsHistory(new Set([...names.slice(0, 10), ...later.slice(10)])));
});
