import assert from "node:assert/strict";
import { WorkflowFailedError } from "@temporalio/client";
import { FAULT_CODES, type FileFaultCode } from "../../domain/faults.ts";
import { BAD_FILES } from "./_bad_files.ts";
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

Deno.test("Bad files → each loads what is sound in it, or fails with what to do", async (t) => {
  await using pipeline = await faultPipeline();
  const { inbox, archive, failed } = pipeline;
  await pipeline.runWorker();

  for (const { name, bytes, ...expected } of BAD_FILES) {
    const { loaded = 0, duplicates = 0, rejects = [], fails, isDuplicate } = expected;
    const outcome = fails ?? (isDuplicate ? "duplicate" : `loaded ${loaded}`);
    await t.step(`${name} → ${outcome}`, async () => {
      await Deno.writeFile(`${inbox}/${name}`, toBytes(bytes));
      const file = await ingestFile(pipeline, name);
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
