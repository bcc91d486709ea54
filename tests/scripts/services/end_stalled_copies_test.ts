import assert from "node:assert/strict";
import type { Writable } from "node:stream";
import { openDatabase } from "../../../activities/database.ts";
import { createLogger } from "../../../scripts/log.ts";
import { endStalled, endStalledCopies } from "../../../scripts/services/end_stalled_copies.ts";
import { csv, event, eventId } from "../../activities/_events.ts";
import { ingest } from "../../activities/_ingest.ts";
import { type Warehouse, warehouse } from "../../activities/_warehouse.ts";
import { waitFor } from "../../harness.ts";

const HOUR_MS = 3_600_000;

Deno.test("endStalledCopies() frees the keys of a load whose worker stands still in its COPY", async () => {
  await using house = await warehouse();
  await using stalled = await stallInCopy(house);
  const loading = ingest(house, await house.land("a.csv", csv([event(1)])));
  await waitFor(async () => {
    const waiting = await house.admin`
      select from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    return waiting.length === 1;
  }, { what: "the other load to wait for the key" });
  const ender = endStalledCopies(house.deps.sql, { afterMs: 200, log: createLogger("error") });
  try {
    assert.equal((await loading).loaded, 1);
  } finally {
    await ender.stop();
  }
  await assert.rejects(stalled.work);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("endStalled() leaves alone what has time left, and what does not copy", async () => {
  await using house = await warehouse();
  await using stalled = await stallInCopy(house);
  const idle = openDatabase(house.url, "ingest", { max: 1 });
  try {
    await idle.begin(async (tx) => {
      await tx`select 'copy'`;
      assert.equal(await endStalled(house.deps.sql, HOUR_MS), 0);
      assert.equal(await endStalled(house.deps.sql, 0), 1);
      assert.equal(await endStalled(house.deps.sql, 0), 0);
      await tx`select 1`;
    });
  } finally {
    await idle.end({ timeout: 1 });
  }
  await assert.rejects(stalled.work);
});

/** Sends one key in a COPY, and then nothing. */
async function stallInCopy({ url, admin }: Warehouse) {
  const pool = openDatabase(url, "ingest", { max: 1 });
  const work = pool.begin(async (tx) => {
    const query = tx.unsafe(`
      copy ingest.event_keys (event_id, event_time, file_id, content_hash, line_number) from stdin`);
    const stream: Writable = await query.writable();
    stream.on("error", () => {});
    // Many of another time: the server keeps some back until there are enough.
    for (let n = 0; n < 2_000; n++) {
      stream.write(`${eventId(n)}\t2026-01-05 12:00:00+00\t1\t${n}\t${n + 2}\n`);
    }
    await query;
  });
  work.catch(() => {});
  await waitFor(async () => {
    const copying = await admin`
      select from pg_stat_activity
      where datname = current_database() and wait_event = 'ClientRead' and query like '%copy ingest.event_keys%'
        and state = 'active'`;
    return copying.length === 1;
  }, { what: "the COPY to wait for more" });
  return { work, [Symbol.asyncDispose]: () => pool.end({ timeout: 0 }) };
}
