import assert from "node:assert/strict";
import type { WorkflowHandle } from "@temporalio/client";
import type { Workflow } from "@temporalio/common";
import { startGenerator } from "../../domain/generator_change.ts";
import { taskQueue } from "../../domain/ingest_api.ts";
import { copyIntoInbox } from "../../scripts/ingest/copy_into_inbox.ts";
import type { generateEvents } from "../../workflows/generate_events.ts";
import { eventLines } from "../event_lines.ts";
import { tempDir, type TestDatabase, testDatabase, waitFor } from "../harness.ts";
import { type FaultPipeline, faultPipeline } from "./_fault_pipeline.ts";
import { canMount, mountDisk } from "./_mounts.ts";
import { pendingFailures } from "./_pending_failures.ts";
import { listNames } from "./_planted_files.ts";

const ROWS = 1_000;
const ignore = !canMount();

Deno.test({
  name:
    "Disk of the archive full → rows are there, the file waits where it was, then it is moved whole",
  ignore,
  async fn() {
    await using pipeline = await faultPipeline();
    const { inbox, archive } = pipeline;
    // Another device as well: the move is a copy.
    using disk = mountDisk(archive, "256k");
    disk.fill();
    const text = eventLines({ seed: 91, rows: ROWS });
    await Deno.writeTextFile(`${inbox}/events.csv`, text);
    await pipeline.runWorker();
    const handle = await pipeline.ingest("events.csv");
    await untilSaid(handle, /ENOSPC/);
    const [file] = await pipeline.sql`
      select state, loaded::integer, settled_at from ingest.files`;
    assert.deepEqual(file, { state: "loaded", loaded: ROWS, settled_at: null });
    assert.deepEqual((await listNames(archive)).filter((name) => !name.startsWith(".")), []);

    disk.free();
    const { archivePath } = await handle.result();
    assert.equal(await Deno.readTextFile(archivePath ?? ""), text);
    assert.deepEqual(await listNames(archive), [archivePath?.slice(archive.length + 1)]);
    assert.deepEqual(await listNames(inbox), []);
    assert.deepEqual(await pipeline.verify(), []);
  },
});

Deno.test({
  name: "Disk of the inbox full → what lies there is loaded and moved all the same",
  ignore,
  async fn() {
    await using pipeline = await faultPipeline();
    const { inbox } = pipeline;
    using disk = mountDisk(inbox, "1m");
    const text = eventLines({ seed: 93, rows: ROWS });
    await Deno.writeTextFile(`${inbox}/events.csv`, text);
    disk.fill();
    await pipeline.runWorker();
    const { loaded, archivePath } = await (await pipeline.ingest("events.csv")).result();
    assert.equal(loaded, ROWS);
    assert.equal(await Deno.readTextFile(archivePath ?? ""), text);
    disk.free();
    assert.deepEqual(await listNames(inbox), []);
    assert.deepEqual(await pipeline.verify(), []);
  },
});

Deno.test({
  name: "Disk of the inbox full → a file that is copied there lands whole or not at all",
  ignore,
  async fn() {
    await using folder = await tempDir();
    const inbox = `${folder.path}/inbox`;
    await Deno.mkdir(inbox);
    using disk = mountDisk(inbox, "1m");
    const text = eventLines({ seed: 94, rows: ROWS });
    const source = {
      path: `${folder.path}/events.csv`,
      name: "events.csv",
      sizeBytes: text.length,
    };
    await Deno.writeTextFile(source.path, text);
    disk.fill();
    const before = await listNames(inbox);
    await assert.rejects(copyIntoInbox(inbox, source), { code: "ENOSPC" });
    assert.deepEqual(await listNames(inbox), before);
    disk.free();
    await copyIntoInbox(inbox, source);
    assert.equal(await Deno.readTextFile(`${inbox}/events.csv`), text);
    assert.deepEqual(await listNames(inbox), ["events.csv"]);
  },
});

Deno.test({
  name: "Disk of the inbox full → the generator waits, says why, and lands every event once",
  ignore,
  async fn() {
    await using pipeline = await faultPipeline();
    const { inbox } = pipeline;
    using disk = mountDisk(inbox, "8m");
    await pipeline.runWorker();
    disk.fill();
    const handle = await startGenerating(pipeline, { files: 6, eventsPerSecond: 500 });
    await untilSaid(handle, /ENOSPC/);
    disk.free();
    const { filesLanded, eventsLanded } = await handle.result();
    const names = await listNames(inbox);
    assert.deepEqual([filesLanded, names.length], [6, 6]);
    const results = await Promise.all(
      names.map(async (name) => await (await pipeline.ingest(name)).result()),
    );
    const sum = (key: "loaded" | "rejected") => results.reduce((sum, one) => sum + one[key], 0);
    assert.deepEqual([sum("loaded"), sum("rejected")], [eventsLanded, 0]);
    assert.deepEqual(await pipeline.verify(), []);
  },
});

Deno.test({
  name: "Disk of the database full → the file waits, says why, and loads once",
  ignore,
  async fn() {
    await using folder = await tempDir();
    const directory = `${folder.path}/disk`;
    await Deno.mkdir(directory);
    using disk = mountDisk(directory, "64m");
    await using other = await testDatabase();
    await using space = await tablespace(other, directory);
    await using database = await testDatabase();
    await space.take(database);
    await using pipeline = await faultPipeline({ database });
    disk.fill();
    await Deno.writeTextFile(
      `${pipeline.inbox}/events.csv`,
      eventLines({ seed: 92, rows: 8 * ROWS }),
    );
    await pipeline.runWorker();
    const handle = await pipeline.ingest("events.csv", { shortWay: false });
    // disk_full
    await untilSaid(handle, /53100/);
    disk.free();
    const { state, loaded } = await handle.result();
    assert.deepEqual([state, loaded], ["loaded", 8 * ROWS]);
    assert.deepEqual(await pipeline.verify(), []);
  },
});

/** Files in quick succession, half of them written in place with a pause in between. */
function startGenerating(
  { client, inboxId, inbox, failed }: FaultPipeline,
  { files, eventsPerSecond }: { files: number; eventsPerSecond: number },
) {
  return client.workflow.start<typeof generateEvents>("generateEvents", {
    taskQueue: taskQueue(inboxId),
    workflowId: `generator-${inboxId}`,
    args: [startGenerator({
      ...{ directory: inbox, truthDirectory: `${failed}/truth` },
      ...{ seed: 95, from: Date.now(), eventsPerSecond, files },
      interval: { minMs: 50, maxMs: 100 },
      faults: { half_written_file: 0.5 },
    })],
  });
}

/** Waits until an activity that is tried again says what is wrong. */
async function untilSaid<T extends Workflow>(handle: WorkflowHandle<T>, says: RegExp) {
  await waitFor(async () => (await pendingFailures(handle)).some((text) => says.test(text)), {
    what: `a pending activity that says ${says}`,
  });
}

/** A place for databases on a disk of its own. */
async function tablespace(
  { sql }: TestDatabase,
  disk: string,
): Promise<AsyncDisposable & { take(database: TestDatabase): Promise<void> }> {
  const name = `space_${crypto.randomUUID().replaceAll("-", "")}`;
  const [server] = await sql`show data_directory`;
  const { uid, gid } = await Deno.stat(server?.data_directory);
  await Deno.chown(disk, uid, gid);
  await sql.unsafe(`create tablespace ${name} location '${disk}'`);
  return {
    async take({ url }) {
      const database = new URL(url).pathname.slice(1);
      await sql.unsafe(`alter database ${database} set tablespace ${name}`);
    },
    async [Symbol.asyncDispose]() {
      await sql.unsafe(`drop tablespace ${name}`);
    },
  };
}
