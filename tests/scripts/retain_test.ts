import assert from "node:assert/strict";
import { csv, event } from "../activities/_events.ts";
import { claim, ingest } from "../activities/_ingest.ts";
import { type Warehouse, warehouse } from "../activities/_warehouse.ts";
import { runCommand } from "./_commands.ts";

Deno.test("retain drops old months, after it has said what would go", async () => {
  await using house = await warehouse();
  await ingest(house, await house.land("a.csv", csv(["2025-12-31", "2026-01-01"].map(onDay))));
  const run = runner(house);
  const dry = await run("--before", "2026-01", "--dry-run", "--format", "csv");
  assert.match(dry.stdout, /^partition,events,bytes\nshop\.events_2025_12,1,\d+\n/);
  assert.match(dry.stderr, /Would drop 1 event of 2 partitions .* before 2026-01-01/);
  assert.equal(await count(house), 2);
  const done = await run("--before", "2026-01");
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stderr, /Dropped 1 event/);
  assert.equal(await count(house), 1);
  const again = await run("--before", "2026-01");
  assert.match(again.stderr, /Dropped 0 events of 0 partitions/);
});

Deno.test("retain names the file that is in the way", async () => {
  await using house = await warehouse();
  const job = await house.job(await house.land("a.csv", csv(["2025-12-31"].map(onDay))));
  const claimed = await claim(house, job);
  await house.run("loadSpan", job, { claim: claimed, firstChunk: 0, endChunk: claimed.chunks });
  const { code, stderr } = await runner(house)("--before", "2026-01");
  assert.equal(code, 1);
  assert.match(stderr, /Cannot drop events before 2026-01-01: file 1 \(loading\) is not settled/);
  assert.equal(await count(house), 1);
});

Deno.test("retain wants a month", async () => {
  for (const args of [[], ["--before", "2026-01-15"], ["--before", "yesterday"]]) {
    assert.equal((await runCommand("retain", args)).code, 2);
  }
});

function onDay(day: string, n: number) {
  return event(n, { event_time: `${day}T12:00:00Z` });
}

async function count({ admin }: Warehouse): Promise<number> {
  const [row] = await admin`select count(*)::int as events from shop.events`;
  return row?.events;
}

function runner({ url, inbox }: Warehouse) {
  const env = { DATABASE_URL: url, CLICKLEDGER_HOME: `${inbox}/home` };
  return (...args: string[]) => runCommand("retain", args, { env });
}
