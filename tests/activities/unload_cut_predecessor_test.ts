import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { recordGrownFile } from "../../activities/statements/grown_files.ts";
import { NAMES } from "../domain/_shop_event.ts";
import { event, type TestEvent } from "./_events.ts";
import { claim, finish, ingest, ingestUnfinished, unload } from "./_ingest.ts";
import { type Warehouse, warehouse } from "./_warehouse.ts";

/** The name stands last: a cut one is still a name. */
const COLUMNS = [...NAMES.filter((name) => name !== "product_name"), "product_name"];
const HEADER = `${COLUMNS.join(",")}\n`;
const lineOf = (row: TestEvent) => `${COLUMNS.map((name) => row[name]).join(",")}\n`;

/** A file that ends within its third record, and the same as it was meant to be. */
function grown(
  { lastName = "Oak chair", middle = event(2) }: { lastName?: string; middle?: TestEvent } = {},
) {
  const whole = HEADER + lineOf(event(1)) + lineOf(middle) +
    lineOf(event(3, { product_name: lastName })) + lineOf(event(4));
  const end = whole.indexOf(lineOf(event(4))) - 1;
  return { cut: whole.slice(0, end - 4), whole };
}

Deno.test("a last record that was cut by an early read gives way to the whole one", async () => {
  await using house = await warehouse();
  const { cut, whole } = grown();
  const first = await ingest(house, await house.land("a.csv", cut));
  assert.equal(first.loaded, 3);
  assert.deepEqual(await names(house), ["Oak chair", "Oak chair", "Oak c"]);
  const second = await ingest(house, await house.land("a.csv", whole));
  assert.deepEqual([second.loaded, second.duplicates, second.rejected], [2, 2, 0]);
  assert.deepEqual(await names(house), Array(4).fill("Oak chair"));
  assert.deepEqual(await counts(house, first.fileId), [2, 2, 0, 0]);
  assert.deepEqual(await house.violations(), []);
  await unload(house, first.fileId);
  assert.equal((await names(house)).length, 4, "the newer version has them all");
  assert.deepEqual(await house.violations(), []);
});

Deno.test("a cut record that was rejected is withdrawn, one that was a duplicate is no longer counted", async () => {
  await using house = await warehouse();
  // Cut within the price: the record has too few fields.
  const whole = HEADER + lineOf(event(1)) + lineOf(event(2));
  const first = await ingest(house, await house.land("a.csv", whole.slice(0, whole.length - 60)));
  assert.deepEqual([first.loaded, first.rejected], [1, 1]);
  const second = await ingest(house, await house.land("a.csv", whole));
  assert.deepEqual([second.loaded, second.duplicates, second.rejected], [1, 1, 0]);
  assert.deepEqual(await counts(house, first.fileId), [1, 1, 0, 0]);
  const [reject] = await house.admin`select state from ingest.rejects`;
  assert.equal(reject?.state, "withdrawn");

  await ingest(
    house,
    await house.land("b.csv", HEADER + lineOf(event(9, { product_name: "Oak c" }))),
  );
  const copy = HEADER + lineOf(event(9, { product_name: "Oak c" }));
  const third = await ingest(
    house,
    await house.land("c.csv", lineBreakless(HEADER + lineOf(event(8)) + copy.slice(HEADER.length))),
  );
  assert.deepEqual([third.loaded, third.duplicates], [1, 1]);
  const fourth = await ingest(
    house,
    await house.land("c.csv", HEADER + lineOf(event(8)) + lineOf(event(9))),
  );
  assert.deepEqual(
    [fourth.duplicates, fourth.rejected],
    [1, 1],
    "another file holds it with other content",
  );
  assert.deepEqual(await counts(house, third.fileId), [1, 1, 0, 0]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("a cut record gives way also when the whole version is known under another name", async () => {
  await using house = await warehouse();
  const { cut, whole } = grown();
  const first = await ingest(house, await house.land("a.csv", cut));
  const copy = await ingest(house, await house.land("copy.csv", whole));
  assert.deepEqual([copy.loaded, copy.duplicates, copy.rejected], [1, 2, 1], "it contradicts");
  const second = await ingest(house, await house.land("a.csv", whole));
  assert.equal(second.state, "duplicate");
  assert.deepEqual(await counts(house, first.fileId), [2, 2, 0, 0]);
  assert.deepEqual(await counts(house, copy.fileId), [4, 2, 2, 0]);
  assert.deepEqual(await names(house), Array(4).fill("Oak chair"));
  assert.deepEqual(await house.violations(), []);
});

Deno.test("an event that another file also has is handed over to it", async () => {
  await using house = await warehouse();
  const { cut, whole } = grown();
  const first = await ingest(house, await house.land("a.csv", cut));
  const other = await ingest(
    house,
    await house.land("b.csv", HEADER + lineOf(event(3, { product_name: "Oak c" }))),
  );
  assert.equal(other.duplicates, 1);
  const second = await ingest(house, await house.land("a.csv", whole));
  assert.deepEqual([second.loaded, second.duplicates, second.rejected], [1, 2, 1]);
  assert.deepEqual(await counts(house, other.fileId), [1, 1, 0, 0]);
  assert.deepEqual(await counts(house, first.fileId), [2, 2, 0, 0]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("nothing is taken out of a version that was finished, that another did not grow from, or twice", async () => {
  await using house = await warehouse();
  const finished = await ingest(house, await house.land("a.csv", HEADER + lineOf(event(1))));
  await ingest(house, await house.land("a.csv", HEADER + lineOf(event(1)) + lineOf(event(2))));
  assert.deepEqual(await counts(house, finished.fileId), [1, 1, 0, 0]);

  const { cut } = grown({ middle: event(12) });
  const unfinished = await ingest(house, await house.land("b.csv", cut));
  const before = await counts(house, unfinished.fileId);
  await ingest(
    house,
    await house.land("b.csv", HEADER + lineOf(event(30)) + "x".repeat(cut.length) + "\n"),
  );
  assert.deepEqual(await counts(house, unfinished.fileId), before);

  const growing = grown({ middle: event(22), lastName: "Red lamp" });
  const third = await ingest(house, await house.land("c.csv", growing.cut));
  const [loaded] = [third.loaded];
  const job = await house.job(await house.land("c.csv", growing.whole));
  await house.run("inspectFile", job, job.input);
  await house.run("inspectFile", job, job.input);
  assert.equal(
    (await counts(house, third.fileId))[0],
    loaded + third.duplicates + third.rejected - 1,
  );
  await ingest(house, job);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("a record that was cut when its file was archived gives way to the version that grew there", async () => {
  await using house = await warehouse();
  const { cut, whole } = grown();
  const first = await ingest(house, await house.land("a.csv", cut));
  const path = first.archivePath!;
  // Its writer had it open all the time.
  await Deno.writeTextFile(path, whole.slice(cut.length), { append: true });
  const { workflowId, input: { identity } } = await house.job(path);
  const version = { identity, workflowId, closedAt: null };
  assert.ok(await recordGrownFile(house.deps.sql, first.fileId, version));
  const [second] = await ingestUnfinished(house);
  assert.deepEqual([second?.loaded, second?.duplicates, second?.rejected], [2, 2, 0]);
  assert.deepEqual(await names(house), Array(4).fill("Oak chair"));
  assert.deepEqual(await counts(house, first.fileId), [2, 2, 0, 0]);
  assert.deepEqual(await house.violations(), []);
});

for (
  const { kind, name, bytesOf } of [
    { kind: "UTF-16", name: "a.csv", bytesOf: utf16 },
    { kind: "gzip of two members", name: "a.csv.gz", bytesOf: gzipped },
  ]
) {
  Deno.test(`a cut record of ${kind} gives way to the whole one`, async () => {
    await using house = await warehouse();
    const { cut, whole } = grown();
    const begun = bytesOf(cut, { isStart: true });
    const rest = bytesOf(whole.slice(cut.length), { isStart: false });
    const first = await ingest(house, await house.land(name, begun));
    assert.equal(first.loaded, 3);
    const second = await ingest(house, await house.land(name, concat([begun, rest])));
    assert.deepEqual([second.loaded, second.duplicates, second.rejected], [2, 2, 0]);
    assert.deepEqual(await names(house), Array(4).fill("Oak chair"));
    assert.deepEqual(await counts(house, first.fileId), [2, 2, 0, 0]);
    assert.deepEqual(await house.violations(), []);
  });
}

Deno.test("a version that grew from one that is still loading waits for it", async () => {
  await using house = await warehouse();
  const { cut, whole } = grown();
  const olderJob = await house.job(await house.land("a.csv", cut));
  const older = await claim(house, olderJob);
  const span = { claim: older, firstChunk: 0, endChunk: older.chunks };
  await house.run("loadSpan", olderJob, span);
  // As an attempt that has read all of it, and is slow to say that it is complete.
  const newerJob = await house.job(await house.land("a.csv", whole));
  const waiting = house.run("inspectFile", newerJob, newerJob.input);
  await assert.rejects(waiting, { type: "PredecessorLoading", category: "BENIGN" });
  await house.run("settleFile", olderJob, older);
  const second = await ingest(house, newerJob);
  assert.deepEqual([second.loaded, second.duplicates, second.rejected], [2, 2, 0]);
  assert.deepEqual(await names(house), Array(4).fill("Oak chair"));
  assert.deepEqual(await counts(house, older.fileId), [2, 2, 0, 0]);
  assert.equal(await supersededBy(house, second.fileId), older.fileId);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("a version whose older one was loading when it was planned supersedes it all the same", async () => {
  await using house = await warehouse();
  const olderJob = await house.job(await house.land("a.csv", HEADER + lineOf(event(1))));
  const older = await claim(house, olderJob);
  await house.run("loadSpan", olderJob, { claim: older, firstChunk: 0, endChunk: older.chunks });
  const newerJob = await house.job(await house.land("a.csv", HEADER + lineOf(event(2))));
  const newer = await claim(house, newerJob);
  await house.run("settleFile", olderJob, older);
  await house.run("loadSpan", newerJob, { claim: newer, firstChunk: 0, endChunk: newer.chunks });
  await house.run("settleFile", newerJob, newer);
  assert.equal(await supersededBy(house, newer.fileId), older.fileId);
});

Deno.test("a version waits for an older one that is not read yet, and may be what it grew from", async () => {
  await using house = await warehouse();
  const { cut, whole } = grown();
  const first = await house.job(await house.land("first.csv", cut));
  await claim(house, first);
  const copy = await ingest(house, await house.land("a.csv", cut));
  assert.equal(copy.state, "duplicate");
  // Opens its copy again, whose hash is asked for anew.
  const reason = {
    unloadTo: "cancelled",
    errorCode: "cancelled",
    errorMessage: "by a test",
  } as const;
  const remainder = await house.run("abandonFile", first, first.input, reason);
  await finish(house, first, remainder);
  const newer = await house.job(await house.land("a.csv", whole));
  const waiting = house.run("inspectFile", newer, newer.input);
  await assert.rejects(waiting, { type: "PredecessorLoading", category: "BENIGN" });
  const [older, second] = await ingestUnfinished(house);
  assert.deepEqual([older?.fileId, older?.loaded], [copy.fileId, 3]);
  assert.deepEqual([second?.loaded, second?.duplicates, second?.rejected], [2, 2, 0]);
  assert.deepEqual(await names(house), Array(4).fill("Oak chair"));
  assert.deepEqual(await counts(house, copy.fileId), [2, 2, 0, 0]);
  assert.deepEqual(await house.violations(), []);
});

const CHAIR = "Oak chair\nwith arms\nand legs";
/** A field that quotes a record: read by itself, its second line is an event. */
const QUOTING = `As in\n${lineOf(event(9))}above`;

for (
  const { where, name, upTo } of [
    { where: "within its first line", name: CHAIR, upTo: "Oak ch" },
    { where: "behind a line end", name: CHAIR, upTo: "Oak chair\n" },
    { where: "within a later line", name: CHAIR, upTo: "Oak chair\nwith arms\nand" },
    { where: "behind its text", name: CHAIR, upTo: CHAIR },
    {
      where: "behind a line that is an event by itself",
      name: QUOTING,
      upTo: QUOTING.slice(0, -2),
    },
  ]
) {
  for (const chunkBytes of [1, 2_000]) {
    Deno.test(`a record that was cut within a quoted field, ${where}, gives way to the whole one (chunks of ${chunkBytes} bytes)`, async () => {
      await using house = await warehouse({ chunkBytes });
      const quoted = lineOf(event(3, { product_name: `"${name}"` }));
      const whole = HEADER + lineOf(event(1)) + lineOf(event(2)) + quoted + lineOf(event(4));
      const cut = whole.slice(0, whole.indexOf(name) + upTo.length);
      const first = await ingest(house, await house.land("a.csv", cut));
      assert.ok(first.rejected > 0);
      const second = await ingest(house, await house.land("a.csv", whole));
      assert.deepEqual([second.loaded, second.duplicates, second.rejected], [2, 2, 0]);
      assert.deepEqual(await names(house), ["Oak chair", "Oak chair", name, "Oak chair"]);
      assert.deepEqual(await counts(house, first.fileId), [2, 2, 0, 0]);
      const open = await house.admin`select from ingest.rejects where state <> 'withdrawn'`;
      assert.equal(open.length, 0);
      assert.deepEqual(await house.violations(), []);
    });
  }
}

Deno.test("a quote that stays open costs its own record, in the grown version as in the older", async () => {
  await using house = await warehouse();
  const stray = lineOf(event(3, { product_name: '"Oak chair' }));
  const begun = HEADER + lineOf(event(1)) + stray + lineOf(event(2));
  const first = await ingest(house, await house.land("a.csv", begun));
  assert.deepEqual([first.loaded, first.rejected], [2, 1]);
  const second = await ingest(house, await house.land("a.csv", begun + lineOf(event(4))));
  assert.deepEqual([second.loaded, second.duplicates, second.rejected], [1, 2, 1]);
  assert.deepEqual(await counts(house, first.fileId), [3, 2, 0, 1]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("a last record that lacks nothing but its line end stays, whatever becomes of the newer version", async () => {
  await using house = await warehouse({ errorBudget: { maxRejects: 0 } });
  const older = lineBreakless(HEADER + lineOf(event(1)) + lineOf(event(2)));
  const first = await ingest(house, await house.land("a.csv", older));
  const text = `${older}\n${lineOf(event(3, { price: "x" }))}`;
  const second = await ingest(house, await house.land("a.csv", text));
  assert.equal(second.errorCode, "error_budget");
  assert.deepEqual(await counts(house, first.fileId), [2, 2, 0, 0]);
  assert.equal((await house.admin`select from shop.events`).length, 2);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("an event that an earlier line of the file has as well stays there", async () => {
  await using house = await warehouse();
  const twice = event(1);
  const padding = Array.from({ length: 30 }, (_, n) => lineOf(event(10 + n))).join("");
  const text = HEADER + lineOf(twice) + padding + lineBreakless(lineOf(twice));
  const job = await house.job(await house.land("a.csv", text));
  const first = await claim(house, job);
  assert.ok(first.chunks > 1);
  // The last chunk is loaded first, and has the event.
  for (let chunk = first.chunks - 1; chunk >= 0; chunk--) {
    const span = { claim: first, firstChunk: chunk, endChunk: chunk + 1 };
    await house.run("loadSpan", job, span);
  }
  await house.run("settleFile", job, first);
  const newerJob = await house.job(
    await house.land("a.csv", `${text} of oak\n${lineOf(event(50))}`),
  );
  await house.run("inspectFile", newerJob, newerJob.input);
  assert.deepEqual(await counts(house, first.fileId), [31, 31, 0, 0]);
  const [key] = await house.admin`select line_number from ingest.event_keys where event_id = ${
    twice.event_id ?? ""
  }`;
  assert.equal(key?.line_number, 2);
  assert.deepEqual(await house.violations(), []);
  await ingest(house, newerJob);
  assert.deepEqual(await house.violations(), []);
});

function utf16(text: string, { isStart }: { isStart: boolean }): Uint8Array {
  const units = Uint16Array.from(`${isStart ? "\ufeff" : ""}${text}`, (unit) => unit.charCodeAt(0));
  return new Uint8Array(units.buffer);
}

function gzipped(text: string): Uint8Array {
  return new Uint8Array(gzipSync(text));
}

function concat(parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function lineBreakless(text: string): string {
  return text.replace(/\n$/, "");
}

async function names({ admin }: Warehouse): Promise<string[]> {
  const rows = await admin`select product_name from shop.events order by event_id`;
  return rows.map(({ product_name }) => product_name);
}

async function counts({ admin }: Warehouse, fileId: number): Promise<number[]> {
  const [row] = await admin`
    select records::int, loaded::int, duplicates::int, rejected::int from ingest.files where file_id = ${fileId}`;
  return [row?.records, row?.loaded, row?.duplicates, row?.rejected];
}

async function supersededBy({ admin }: Warehouse, fileId: number): Promise<number | null> {
  const [row] = await admin`
    select supersedes::int from ingest.files where file_id = ${fileId}`;
  return row?.supersedes ?? null;
}
