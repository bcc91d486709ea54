import assert from "node:assert/strict";
import { csv, csvOf, event, eventId, events, line } from "../activities/_events.ts";
import { claim, ingest, unload } from "../activities/_ingest.ts";
import { type Warehouse, warehouse } from "../activities/_warehouse.ts";
import { operationWorkflowId } from "../../domain/workflow_ids.ts";
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
  await ingest(house, await house.land("copy of a.csv", csv(first)));
  await ingest(house, await house.land("copy of d.csv", csv(events(300, 340))));
  const why = runner(house);

  await t.step("a loaded event, with everything that leads to it", async () => {
    const { code, stdout } = await why(eventId(3));
    assert.equal(code, 0);
    assert.match(stdout, /^Loaded: event \S+ of \S+ came from line 5 of file 1 \(a\.csv\)\n/);
    assert.match(stdout, /file +loaded, sha256 [0-9a-f]{64}\n/);
    assert.match(stdout, /path +\S+\/archive\/a\.1\.csv\n/);
    assert.match(stdout, /committed +\S+ as chunk 0 by tester, attempt 1\n/);
    assert.match(stdout, /contract +version 1\n/);
    assert.match(stdout, /workflow +ingest\/\S+, run \S+/);
    assert.match(stdout, /Duplicate: line 2 of file 2 \(b\.csv\) repeats event/);
    assert.match(
      stdout,
      /Rejected \(open\): line 3 of file 2 \(b\.csv\), reject 2\n {2}The event_id is already loaded with other values/,
    );
  });

  await t.step("lines, by number and by name", async () => {
    assert.match((await why("1:2")).stdout, /^Loaded: event/);
    const copy = await why("b.csv:2");
    assert.match(copy.stdout, /which was loaded from line 5 of file 1 \(a\.csv\)/);
    const [verdict] = await answers(why, "1:14");
    assert.deepEqual([verdict.kind, verdict.faults[0].code], ["rejected", "invalid_number"]);
    assert.match((await why("b.csv:4", "--format", "csv")).stdout, /^kind,event_id.*\nloaded,/);
  });

  await t.step("the record's own bytes, wherever they can be known", async () => {
    const text = csv(first);
    const bytesOf = async (what: string) => (await answers(why, what))[0].origin.bytes;
    const rejectStart = text.length - line(first[12]!).length;
    const reject = { start: rejectStart, length: line(first[12]!).length - 1, of: "record" };
    assert.deepEqual(await bytesOf("1:14"), reject);
    const before = csv(first.slice(0, 3)).length;
    const third = { start: before, length: line(first[3]!).length - 1, of: "record" };
    assert.deepEqual(await bytesOf("1:5"), third);
    assert.match((await why("1:5")).stdout, /bytes +\d+ bytes from offset [\d,]+\n/);

    // Somebody has taken the file away.
    const { path } = (await answers(why, "b.csv:4"))[0].origin;
    await Deno.rename(path, `${path}.away`);
    const length = csv([event(3), event(3, { price: "7.00" }), event(90)]).length;
    const chunk = { start: csvOf().length, length: length - csvOf().length, of: "chunk" };
    assert.deepEqual(await bytesOf("b.csv:4"), chunk);
    assert.match((await why("b.csv:4")).stdout, /bytes +within its chunk of \d+ bytes from offset/);
    await Deno.rename(`${path}.away`, path);
  });

  await t.step("a line of a file that is a copy as a whole leads to the original", async () => {
    const { code, stdout } = await why("copy of a.csv:5");
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^Duplicate: line 5 of file \d \(copy of a\.csv\) is line 5 of file 1 \(a\.csv\), because all bytes/,
    );
    assert.match(stdout, /\n\nLoaded: event \S+ of \S+ came from line 5 of file 1 \(a\.csv\)\n/);
    const found = await answers(why, "copy of a.csv:14");
    assert.deepEqual(found.map(({ kind }) => kind), ["duplicate", "rejected"]);
    assert.deepEqual([found[0].original.fileId, found[0].original.line], [1, 14]);
  });

  await t.step("why there is none: on stdout in each format, with exit code 1", async () => {
    const none: [string, string, RegExp][] = [
      [eventId(999), "never_seen", /^Never seen: event \S+ is in no file that is loaded/],
      [eventId(200), "never_seen", /\n {2}It may be in 2 files that failed, or was cancelled/],
      ["1:1", "header", /is the header/],
      ["1:99", "no_record", /begins no record/],
      ["c.csv:2", "not_loaded", /the file is unloaded; see `deno task files show 3`/],
      ["bad.csv:2", "not_loaded", /the file is failed \(header_not_recognised\)/],
      [
        "d.csv:39",
        "not_yet",
        /^Not yet: .* the file is loading and chunk \d, which holds it, is not/,
      ],
      [
        "copy of d.csv:39",
        "not_yet",
        /has the same bytes as file 5 \(d\.csv\), and that line there/,
      ],
      ["nobody.csv:2", "unknown_file", /the ledger has no file of the number or name nobody\.csv/],
    ];
    for (const [what, reason, message] of none) {
      const { code, stdout } = await why(what, "--format", "json");
      assert.equal(code, 1, what);
      const [verdict] = JSON.parse(stdout);
      assert.deepEqual([verdict.kind, verdict.why], ["none", reason], what);
      assert.match(verdict.message, message);
    }
    const text = await why(eventId(999));
    assert.equal(text.code, 1);
    assert.match(text.stdout, /^Never seen: [^]* with 1 file under way/);
    assert.doesNotMatch(text.stdout, /retention/i);
    const table = await why("c.csv:2", "--format", "csv");
    assert.equal(table.code, 1);
    assert.match(table.stdout, /\nnone,,3,c\.csv,2,.*,not_loaded\n/);
    for (const what of ["what", "1:9999999999"]) {
      const { code, stdout } = await why(what);
      assert.deepEqual([code, stdout], [2, ""], what);
    }
  });
});

Deno.test("why finds an event in quarantine however it is written, and by its correction", async (t) => {
  await using house = await warehouse();
  const upper = event(1, { event_id: eventId(0xab).toUpperCase(), price: "x" });
  const session = { session_id: eventId(500) };
  const cut = line(event(2)).split(",").slice(0, 5).join(",") + "\n";
  const text = csvOf(
    line(upper),
    cut,
    line(event(3, { event_id: "3", ...session })),
    line(event(4)),
  );
  const { fileId } = await ingest(house, await house.land("a.csv", text));
  const why = runner(house);

  await t.step("in capitals, and where the record cannot be told apart into columns", async () => {
    for (
      const [id, at] of [[eventId(0xab), 2], [eventId(0xab).toUpperCase(), 2], [eventId(2), 3]]
    ) {
      const [verdict] = await answers(why, String(id));
      assert.deepEqual([verdict.kind, verdict.origin.line], ["rejected", at], String(id));
    }
  });

  await t.step("by the event that a correction names, before and after its replay", async () => {
    const fixed = new TextEncoder().encode(line(event(7)).trimEnd());
    await house.admin`select ingest.correct_reject(3, ${fixed})`;
    const [stored] = await answers(why, eventId(7));
    assert.deepEqual([stored.kind, stored.rejectId, stored.state], ["rejected", 3, "open"]);
    assert.match((await why(eventId(7))).stdout, /A correction is stored, and not replayed/);
    const workflowId = operationWorkflowId("replay", house.inboxId, fileId);
    await house.run("replayRejects", { workflowId }, { fileId, rejectId: 3 });
    const found = await answers(why, eventId(7));
    assert.deepEqual(found.map(({ kind }) => kind), ["loaded", "rejected"]);
    assert.match(
      (await why("1:4")).stdout,
      /Loaded: event [^]*Rejected \(replayed\)[^]*Replayed with a correction: it is now event \S+07\n/,
    );
  });

  await t.step("without reading the bytes of those that name their event", async () => {
    const stored = await house.admin`select event_id from ingest.rejects order by line_number`;
    assert.deepEqual(stored.map(({ event_id }) => event_id), [eventId(0xab), null, null]);
  });

  await t.step("of a file that is unloaded as well, when nothing else has it", async () => {
    await unload(house, fileId);
    const [verdict] = await answers(why, eventId(2));
    assert.deepEqual([verdict.kind, verdict.state], ["rejected", "withdrawn"]);
  });
});

Deno.test("why blames retention for what it dropped, and for nothing else", async () => {
  await using house = await warehouse();
  const why = runner(house);
  const old = (n: number) => event(n, { event_time: "2025-11-05T00:00:00Z" });
  await ingest(house, await house.land("old.csv", csv([old(700), event(1)])));
  await house.admin`call shop.drop_events_before('2025-12-01')`;
  await ingest(house, await house.land("late.csv", csv([old(701)])));
  const dropped = await why(eventId(700));
  assert.equal(dropped.code, 0);
  assert.match(
    dropped.stdout,
    /no longer in shop\.events: retention has dropped what is before 2025-12/,
  );
  const late = await why("late.csv:2");
  assert.equal(late.code, 0);
  assert.match(late.stdout, /older than the data that is kept[^]*Events from 2025-12 on are kept/);
  assert.match(
    (await why(eventId(999))).stdout,
    /^Never seen: [^]*Retention does not hide it: of events before 2025-12 the ledger still knows/,
  );
  await house.admin`delete from shop.events where event_id = ${eventId(1)}`;
  assert.match((await why(eventId(1))).stdout, /retention did not drop it: run `deno task verify`/);
});

Deno.test("why tells of a compressed file the bytes of the chunk, once expanded", async () => {
  await using house = await warehouse();
  const text = csv(events(0, 3));
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  await ingest(house, await house.land("a.csv.gz", bytes));
  assert.match(
    (await runner(house)("1:3")).stdout,
    /bytes +within its chunk of \d+ bytes from offset \d+, once expanded\n/,
  );
});

type Why = ReturnType<typeof runner>;

function runner({ url, inbox }: Warehouse) {
  const env = { DATABASE_URL: url, CLICKLEDGER_HOME: `${inbox}/../home` };
  return (...args: string[]) => runCommand("why", args, { env });
}

// deno-lint-ignore no-explicit-any -- what a script that reads the output has
async function answers(why: Why, what: string): Promise<any[]> {
  return JSON.parse((await why(what, "--format", "json")).stdout);
}
