import assert from "node:assert/strict";
import { csv, event, eventId, events } from "../activities/_events.ts";
import { claim, ingest, unload } from "../activities/_ingest.ts";
import { type Warehouse, warehouse } from "../activities/_warehouse.ts";
import { runCommand } from "./_commands.ts";

Deno.test("why tells of an event and of a line what became of it", async (t) => {
  await using house = await warehouse();
  const first = [...events(0, 12), event(50, { price: "x" })];
  await ingest(house, await house.land("a.csv", csv(first)));
  await ingest(
    house,
    await house.land("b.csv", csv([event(3), event(3, { price: "7.00" }), event(90)])),
  );
  const old = await ingest(house, await house.land("c.csv", csv(events(200, 203))));
  await unload(house, old.fileId);
  await ingest(house, await house.land("bad.csv", "a,b\n1,2\n"));
  const job = await house.job(await house.land("d.csv", csv(events(300, 340))));
  const claimed = await claim(house, job);
  await house.run("loadSpan", job, { claim: claimed, firstChunk: 0, endChunk: 1 });
  const why = runner(house);

  await t.step("a loaded event, with everything that leads to it", async () => {
    const { code, stdout } = await why(eventId(3));
    assert.equal(code, 0);
    assert.match(stdout, /^Loaded: event \S+ of \S+ came from line 5 of file 1 \(a\.csv\)\n/);
    assert.match(stdout, /file +loaded, sha256 [0-9a-f]{64}\n/);
    assert.match(stdout, /bytes +\S+\/archive\/a\.1\.csv\n/);
    assert.match(stdout, /chunk +0: bytes \d+ to \d+/);
    assert.match(stdout, /committed +\S+ by tester, attempt 1\n/);
    assert.match(stdout, /contract +version 1\n/);
    assert.match(stdout, /workflow +ingest\/\S+, run \S+/);
    assert.match(stdout, /Duplicate: line 2 of file 2 \(b\.csv\) repeats event/);
    assert.match(
      stdout,
      /Rejected \(open\): line 3 of file 2 \(b\.csv\)\n {2}The event_id is already loaded with other values/,
    );
  });

  await t.step("lines, by number and by name", async () => {
    assert.match((await why("1:2")).stdout, /^Loaded: event/);
    const copy = await why("b.csv:2");
    assert.match(copy.stdout, /which was loaded from line 5 of file 1 \(a\.csv\)/);
    const reject = await why("1:14", "--format", "json");
    const [verdict] = JSON.parse(reject.stdout);
    assert.deepEqual([verdict.kind, verdict.faults[0].code], ["rejected", "invalid_number"]);
    assert.match((await why("b.csv:4", "--format", "csv")).stdout, /^kind,event_id.*\nloaded,/);
  });

  await t.step("why there is none", async () => {
    const none: [string, RegExp][] = [
      [eventId(999), /no file that was loaded, and no reject, has it/],
      [eventId(200), /no file that was loaded, and no reject, has it/],
      ["1:1", /it is the header/],
      ["1:99", /no record begins there/],
      ["c.csv:2", /the file is unloaded; see `deno task files show 3`/],
      ["bad.csv:2", /the file is failed/],
      ["d.csv:39", /its chunk is not committed yet; the file is loading/],
      ["nobody.csv:2", /the ledger has no file of this number or name/],
    ];
    for (const [what, message] of none) {
      const { code, stderr } = await why(what);
      assert.equal(code, 1, what);
      assert.match(stderr, message);
    }
    assert.equal((await why("what")).code, 2);
  });

  await t.step("an event that retention has dropped", async () => {
    await ingest(
      house,
      await house.land("old.csv", csv([event(700, { event_time: "2025-11-05T00:00:00Z" })])),
    );
    await house.admin`call shop.drop_events_before('2025-12-01')`;
    assert.match(
      (await why(eventId(700))).stdout,
      /no longer in shop\.events: retention has dropped/,
    );
  });
});

function runner({ url, inbox }: Warehouse) {
  const env = { DATABASE_URL: url, CLICKLEDGER_HOME: `${inbox}/../home` };
  return (...args: string[]) => runCommand("why", args, { env });
}
