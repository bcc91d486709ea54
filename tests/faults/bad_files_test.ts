import assert from "node:assert/strict";
import { WorkflowFailedError } from "@temporalio/client";
import { openDatabase } from "../../activities/database.ts";
import { FAULT_CODES, type FileFaultCode } from "../../domain/faults.ts";
import { EVENT_HEADER, writeEvents } from "../../domain/generator/write_events.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { DryLoad } from "../../scripts/ingest/dry_run.ts";
import { eventRows } from "../event_lines.ts";
import { BAD_FILES, HORIZON, MAX_EXPANDED_BYTES } from "./_bad_files.ts";
import { loadedAs } from "./_loaded_as.ts";
import { type FaultPipeline, faultPipeline } from "./_fault_pipeline.ts";
import { listNames } from "./_planted_files.ts";

/** The row of a file. */
interface FileRow {
  file_id: number;
  state: string;
  error_code: string | null;
  error_message: string | null;
  records: number | null;
  loaded: number | null;
  duplicates: number | null;
  rejected: number | null;
  archive_path: string | null;
}

const PRICE = SHOP_EVENTS.columns.findIndex(({ name }) => name === "price");
const CHUNK_BYTES = 64 * 1024;

Deno.test("Bad files → each loads what is sound in it, or fails with what to do, as a dry run said", async (t) => {
  await using pipeline = await faultPipeline({ chunkBytes: CHUNK_BYTES });
  const { inbox, inboxId, archive, failed, sql } = pipeline;
  await pipeline.runWorker();
  await sql`update ingest.horizon set events_from = ${HORIZON}`;
  const reader = openDatabase(pipeline.databaseUrl, "reader");
  await using _reader = { [Symbol.asyncDispose]: () => reader.end({ timeout: 1 }) };
  const options = {
    contract: SHOP_EVENTS,
    errorBudget: {},
    chunkBytes: CHUNK_BYTES,
    maxExpandedBytes: MAX_EXPANDED_BYTES,
    sql: reader,
    inboxId,
  };

  for (const { name, bytes, ...expected } of BAD_FILES) {
    const { loaded = 0, duplicates = 0, rejects = [], fails, isDuplicate, keeps = [] } = expected;
    const outcome = fails ?? (isDuplicate ? "duplicate" : `loaded ${loaded}`);
    await t.step(`${name} → ${outcome}`, async () => {
      const path = `${inbox}/${name}`;
      const sizeBytes = toBytes(bytes).length;
      await Deno.writeFile(path, toBytes(bytes));
      const { source: _source, ...dry } = await new DryLoad(options).read({
        path,
        name,
        sizeBytes,
      });
      const file = await ingestFile(pipeline, name);
      assert.deepEqual(dry, await loadedAs(sql, file.file_id));
      if (fails !== undefined) {
        return assertFailed(file, fails, { path: `${inbox}/${name}`, failed });
      }
      assert.equal(file.state, isDuplicate ? "duplicate" : "loaded");
      assert.equal(file.error_message, null);
      assert.deepEqual(
        [file.records, file.loaded, file.duplicates, file.rejected],
        [loaded + duplicates + rejects.length, loaded, duplicates, rejects.length],
      );
      assert.deepEqual(await readRejects(pipeline, file.file_id), rejects);
      const names = await sql<{ product_name: string }[]>`
        select product_name from shop.events where file_id = ${file.file_id}`;
      const stored = new Set(names.map(({ product_name }) => product_name));
      for (const text of keeps) assert.ok(stored.has(text), `stored: ${[...stored].join(", ")}`);
      assert.ok(file.archive_path?.startsWith(`${archive}/`), file.archive_path ?? "not moved");
      assert.deepEqual(await Deno.readFile(file.archive_path ?? ""), toBytes(bytes));
    });
  }

  assert.deepEqual(await pipeline.verify(), []);
  assert.deepEqual(await listNames(inbox), []);
  const extras = await pipeline
    .sql`select distinct extras from shop.events where extras is not null`;
  assert.deepEqual(extras.map(({ extras }) => extras), [{ campaign: "spring" }]);
});

Deno.test("The same events at once in two files, and with other content → each event once", async () => {
  await using pipeline = await faultPipeline();
  const { inbox, sql } = pipeline;
  await pipeline.runWorker();
  const rows = eventRows({ seed: 22, rows: 200 });
  const other = rows.map((row) => row.with(PRICE, "0.01"));
  const files = {
    "one.csv": rows,
    "the same.csv": rows.toReversed(),
    "other content.csv": other,
    "other content again.csv": other.toReversed(),
  };
  for (const [name, events] of Object.entries(files)) {
    await Deno.writeTextFile(`${inbox}/${name}`, EVENT_HEADER + writeEvents(events));
  }
  const handles = await Promise.all(Object.keys(files).map((name) => pipeline.ingest(name)));
  const results = await Promise.all(handles.map((handle) => handle.result()));

  const sum = (field: "loaded" | "duplicates" | "rejected") =>
    results.reduce((total, result) => total + result[field], 0);
  // Of each event one content wins: it is there once and once a duplicate, the other is twice refused.
  assert.deepEqual([sum("loaded"), sum("duplicates"), sum("rejected")], [200, 200, 400]);
  const [events] = await sql`
    select count(*)::integer as events, count(distinct event_id)::integer as ids from shop.events`;
  assert.deepEqual({ ...events }, { events: 200, ids: 200 });
  assert.deepEqual(await pipeline.verify(), []);
});

Deno.test("Entries that are not files → refused unread, left where they are", async (t) => {
  await using pipeline = await faultPipeline();
  const { inbox } = pipeline;
  await pipeline.runWorker();
  await Deno.writeTextFile(`${inbox}/../target.csv`, "event_id\n");
  await Deno.symlink(`${inbox}/../target.csv`, `${inbox}/link.csv`);
  await Deno.mkdir(`${inbox}/directory.csv`);
  const { success } = await new Deno.Command("mkfifo", { args: [`${inbox}/pipe.csv`] }).output();
  assert.ok(success);

  for (const name of ["link.csv", "directory.csv", "pipe.csv"]) {
    await t.step(name, async () => {
      const file = await ingestFile(pipeline, name);
      assertFailed(file, "refused", { path: `${inbox}/${name}` });
      assert.equal(file.archive_path, null);
    });
  }
  assert.deepEqual(await listNames(inbox), ["directory.csv", "link.csv", "pipe.csv"]);
});

Deno.test({
  name: "A file that may not be read → fails as unreadable, the next one loads",
  // Root may read everything.
  ignore: Deno.uid() === 0,
  async fn() {
    await using pipeline = await faultPipeline();
    const path = `${pipeline.inbox}/secret.csv`;
    await pipeline.runWorker();
    await Deno.writeTextFile(path, "event_id\n");
    await Deno.chmod(path, 0o000);
    assertFailed(await ingestFile(pipeline, "secret.csv"), "unreadable", { path });
  },
});

async function ingestFile(pipeline: FaultPipeline, name: string): Promise<FileRow> {
  const handle = await pipeline.ingest(name);
  const ended = await handle.result().catch((error) => {
    if (error instanceof WorkflowFailedError) return error.cause?.message;
    throw error;
  });
  const [file] = await pipeline.sql<FileRow[]>`
    select file_id::integer, state, error_code, error_message, records::integer, loaded::integer,
           duplicates::integer, rejected::integer, archive_path
    from ingest.files where workflow_id = ${handle.workflowId}`;
  assert.ok(file);
  // What the Web UI shows is what the ledger has.
  if (file.state === "failed") assert.equal(ended, file.error_message);
  return file;
}

function assertFailed(
  file: FileRow,
  code: FileFaultCode,
  { path, failed }: { path: string; failed?: string },
): void {
  assert.deepEqual([file.state, file.error_code], ["failed", code]);
  assert.ok(file.error_message?.includes(path), file.error_message ?? "no message");
  assert.ok(file.error_message?.endsWith(FAULT_CODES[code].advice));
  if (failed !== undefined) assert.ok(file.archive_path?.startsWith(`${failed}/`));
}

async function readRejects({ sql }: FaultPipeline, fileId: number): Promise<string[]> {
  const rows = await sql<{ code: string }[]>`
    select faults -> 0 ->> 'code' as code from ingest.rejects
    where file_id = ${fileId} order by line_number`;
  return rows.map(({ code }) => code);
}

function toBytes(bytes: string | Uint8Array): Uint8Array {
  return typeof bytes === "string" ? new TextEncoder().encode(bytes) : new Uint8Array(bytes);
}
