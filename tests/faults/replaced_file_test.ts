import assert from "node:assert/strict";
import { WorkflowFailedError } from "@temporalio/client";
import { openDatabase } from "../../activities/database.ts";
import { writeEvents } from "../../domain/generator/write_events.ts";
import { readConfig } from "../../scripts/config.ts";
import { retryFile } from "../../scripts/files/retry_file.ts";
import { unloadFile } from "../../scripts/files/unload_file.ts";
import { eventLines, eventRows } from "../event_lines.ts";
import { type FaultPipeline, faultPipeline } from "./_fault_pipeline.ts";
import { listNames } from "./_planted_files.ts";

const ROWS = 400;
const NAME = "events.csv";
const older = eventLines({ seed: 31, rows: ROWS });
const newer = eventLines({ seed: 31, rows: ROWS, from: ROWS });
const newest = eventLines({ seed: 31, rows: ROWS, from: 2 * ROWS });
const oneMore = writeEvents(eventRows({ seed: 31, rows: 1, from: 3 * ROWS }));
/** So small that the other lane cannot have opened the file for its last one when the fourth begins. */
const chunkBytes = 6 * 1024;
const ONE_CHUNK_A_SPAN = { shortWay: false, settings: { chunksPerSpan: 1 } };

for (const shortWay of [true, false]) {
  const way = shortWay ? "short way" : "long way";
  Deno.test(`File replaced between commit and move, ${way} → the new version is not moved unread`, async () => {
    await using pipeline = await faultPipeline({ chunkBytes });
    const { inbox } = pipeline;
    await land(inbox, older);
    await pipeline.runWorker({ beforeMove: once(() => land(inbox, newer)) });
    const result = await (await pipeline.ingest(NAME, { shortWay })).result();

    assert.deepEqual([result.state, result.errorCode], ["loaded", "replaced"]);
    assert.equal(result.loaded, ROWS);
    assert.equal(result.archivePath, undefined);
    assert.ok(result.errorMessage?.includes(`${inbox}/${NAME}`));
    assert.deepEqual(await listNames(inbox), [NAME]);
    assert.equal(await Deno.readTextFile(`${inbox}/${NAME}`), newer);
    assert.deepEqual(await listNames(pipeline.archive), []);
    await assertLoadsAsOwnFile(pipeline, NAME, { fileId: result.fileId, events: 2 * ROWS });
  });
}

Deno.test("Replaced file that was unloaded is not retried: what took its place is a file of its own", async () => {
  await using pipeline = await faultPipeline({ chunkBytes });
  await land(pipeline.inbox, older);
  await pipeline.runWorker({ beforeMove: once(() => land(pipeline.inbox, newer)) });
  const { fileId } = await (await pipeline.ingest(NAME)).result();
  await using disposables = new AsyncDisposableStack();
  const sql = openDatabase(pipeline.databaseUrl, "ingest");
  disposables.defer(() => sql.end({ timeout: 1 }));
  const running = { ...pipeline, sql };
  const { file } = await unloadFile(running, String(fileId), readConfig({}));
  assert.equal(file.state, "unloaded");
  await assert.rejects(retryFile(running, String(fileId), readConfig({})), {
    message:
      `Cannot retry file ${fileId}: its bytes were replaced before they could be moved out of ` +
      "the inbox, and what took their place is a file of its own; see `deno task files list`",
  });
  assert.deepEqual(await pipeline.verify(), []);
});

Deno.test("Name taken again while a replaced file is given back → both versions are kept", async () => {
  await using pipeline = await faultPipeline();
  const { inbox } = pipeline;
  await land(inbox, older);
  await pipeline.runWorker({
    // As a crash leaves it that came right after the renaming of the wrong version.
    beforeMove: once(async (fileId) => {
      await land(inbox, newer);
      await Deno.rename(`${inbox}/${NAME}`, `${inbox}/.settling-${fileId}`);
      await land(inbox, newest);
    }),
  });
  const result = await (await pipeline.ingest(NAME)).result();

  assert.equal(result.errorCode, "replaced");
  const givenBack = `events~${result.fileId}.csv`;
  assert.deepEqual(await listNames(inbox), [NAME, givenBack]);
  assert.equal(await Deno.readTextFile(`${inbox}/${NAME}`), newest);
  assert.equal(await Deno.readTextFile(`${inbox}/${givenBack}`), newer);
  assert.deepEqual(await pipeline.verify(), []);
});

for (
  const { what, change, events = ROWS } of [
    { what: "appended to", change: append, events: ROWS + 1 },
    { what: "overwritten in place, size and time unchanged,", change: overwrite },
    { what: "replaced", change: (inbox: string) => land(inbox, newer) },
    { what: "truncated within a record", change: truncateHalf, events: ROWS / 2 },
    { what: "truncated to nothing, then rewritten,", change: empty },
    { what: "removed", change: (inbox: string) => Deno.remove(`${inbox}/${NAME}`) },
  ]
) {
  Deno.test(`File ${what} while it loads → unloaded as changed, nothing moved, next version loads`, async () => {
    await using pipeline = await faultPipeline({ chunkBytes });
    const { inbox } = pipeline;
    await land(inbox, older);
    let committedBefore = 0;
    await pipeline.runWorker({
      beforeChunk: onceAtChunk(3, async () => {
        committedBefore = await count(pipeline, "ingest.event_keys");
        await change(inbox);
      }),
    });
    const fileId = await assertFails(pipeline, "changed");
    assert.ok(committedBefore > 0);
    assert.equal(await count(pipeline, "shop.events"), 0);
    assert.equal(await count(pipeline, "ingest.event_keys"), 0);
    assert.deepEqual(await pipeline.verify(), []);
    assert.deepEqual(await listNames(pipeline.failed), []);

    if (what === "removed") return;
    // Deno tells the time of change in whole seconds: within one, nothing tells this version from the older.
    if (change === overwrite) await Deno.utime(`${inbox}/${NAME}`, new Date(), new Date());
    if (change === empty) {
      await assertFails(pipeline, "empty_file");
      await land(inbox, newer);
    }
    await assertLoadsAsOwnFile(pipeline, NAME, { fileId, events });
  });
}

Deno.test("File removed before it is read → fails as vanished", async () => {
  await using pipeline = await faultPipeline();
  await land(pipeline.inbox, older);
  const handle = await pipeline.ingest(NAME);
  await Deno.remove(`${pipeline.inbox}/${NAME}`);
  await pipeline.runWorker();
  await assert.rejects(handle.result(), (error) => {
    assert.ok(error instanceof WorkflowFailedError);
    return /vanish|gone before it was read/.test(error.cause?.message ?? "");
  });
  const [file] = await pipeline.sql`select state, error_code from ingest.files`;
  assert.deepEqual(file, { state: "failed", error_code: "vanished" });
});

Deno.test("File removed between commit and move → its rows stay, and the ledger says so", async () => {
  await using pipeline = await faultPipeline();
  const { inbox } = pipeline;
  await land(inbox, older);
  await pipeline.runWorker({ beforeMove: once(() => Deno.remove(`${inbox}/${NAME}`)) });
  const result = await (await pipeline.ingest(NAME)).result();
  assert.deepEqual([result.state, result.loaded], ["loaded", ROWS]);
  assert.equal(result.archivePath, undefined);
  assert.match(result.errorMessage ?? "", /somebody removed it/);
  assert.deepEqual(await pipeline.verify(), []);
});

/** A whole file takes the name at once, as a careful writer does it. */
async function land(inbox: string, text: string): Promise<void> {
  await Deno.writeTextFile(`${inbox}/.new`, text);
  await Deno.rename(`${inbox}/.new`, `${inbox}/${NAME}`);
}

async function append(inbox: string): Promise<void> {
  await Deno.writeTextFile(`${inbox}/${NAME}`, oneMore, { append: true });
}

/** The last price changes its last digit; nothing but the bytes tells. */
async function overwrite(inbox: string): Promise<void> {
  const path = `${inbox}/${NAME}`;
  const { mtime, atime } = await Deno.stat(path);
  const text = await Deno.readTextFile(path);
  const at = text.lastIndexOf(".") + 1;
  const digit = text[at] === "1" ? "2" : "1";
  using file = await Deno.open(path, { write: true });
  await file.seek(new TextEncoder().encode(text.slice(0, at)).length, Deno.SeekMode.Start);
  await file.write(new TextEncoder().encode(digit));
  assert.ok(atime && mtime);
  await file.utime(atime, mtime);
}

/** As a writer that failed leaves it, within the record behind half of them. */
async function truncateHalf(inbox: string): Promise<void> {
  const lines = older.split("\n").slice(0, 1 + ROWS / 2).map((line) => line.length + 1);
  await Deno.truncate(`${inbox}/${NAME}`, lines.reduce((sum, length) => sum + length) + 20);
}

/** As a writer begins that rewrites the file. */
async function empty(inbox: string): Promise<void> {
  await Deno.truncate(`${inbox}/${NAME}`, 0);
}

/** The version at the name ends with the code, and only a version that was read to its end is moved. */
async function assertFails(pipeline: FaultPipeline, code: string): Promise<number> {
  const handle = await pipeline.ingest(NAME, ONE_CHUNK_A_SPAN);
  await assert.rejects(handle.result(), WorkflowFailedError);
  const [file] = await pipeline.sql`
    select file_id::integer, state, error_code, archive_path, settled_at is not null as settled
    from ingest.files order by file_id desc limit 1`;
  assert.deepEqual([file?.state, file?.error_code, file?.settled], ["failed", code, true]);
  assert.equal(file?.archive_path === null, code === "changed");
  return file?.file_id;
}

async function assertLoadsAsOwnFile(
  pipeline: FaultPipeline,
  name: string,
  { fileId, events }: { fileId: number; events: number },
): Promise<void> {
  const result = await (await pipeline.ingest(name)).result();
  assert.equal(result.state, "loaded");
  assert.notEqual(result.fileId, fileId);
  assert.equal(await count(pipeline, "shop.events"), events);
  assert.deepEqual(await listNames(pipeline.inbox), []);
  assert.deepEqual(await pipeline.verify(), []);
}

async function count({ sql }: FaultPipeline, table: string): Promise<number> {
  const [row] = await sql<{ rows: number }[]>`select count(*)::integer as rows from ${sql(table)}`;
  return row?.rows ?? 0;
}

function once(action: (fileId: number) => Promise<void>): (fileId: number) => Promise<void> {
  let done = false;
  return async (fileId) => {
    if (done) return;
    done = true;
    await action(fileId);
  };
}

function onceAtChunk(
  chunk: number,
  action: () => Promise<void>,
): (fileId: number, chunkNo: number) => Promise<void> {
  const act = once(action);
  return async (fileId, chunkNo) => {
    if (chunkNo === chunk) await act(fileId);
  };
}
