import assert from "node:assert/strict";
import { WorkflowUpdateFailedError } from "@temporalio/client";
import { unfinishedFiles } from "../../activities/statements/unfinished_files.ts";
import { progressQuery } from "../../workflows/ingest_file.ts";
import { eventLines } from "../event_lines.ts";
import {
  type FaultPipeline,
  faultPipeline,
  type IngestHandle,
  type IngestOptions,
} from "../faults/_fault_pipeline.ts";
import { runWorker } from "../faults/_worker_process.ts";
import { waitFor } from "../harness.ts";

const ROWS = 400;
const SPAN_BY_SPAN: IngestOptions = { shortWay: false, settings: { chunksPerSpan: 2 } };

Deno.test("ingestFile stops at a chunk border when it is paused, and goes on when it is resumed", async () => {
  await using at = await heldAt(3);
  const { pipeline, handle, letGo } = at;
  await handle.executeUpdate("pause");
  letGo();
  await waitFor(() => isPaused(pipeline), { what: "the pause to be noted" });
  const before = await committed(pipeline);
  assert.ok(before > 0, "what is committed stays");
  const { phase } = await handle.query(progressQuery);
  assert.equal(phase, "paused");
  const [idle] = await pipeline.sql`
    select count(*)::int as sessions from pg_stat_activity
    where datname = current_database() and state like 'idle in transaction%'`;
  assert.equal(idle?.sessions, 0);
  const description = await handle.describe();
  assert.deepEqual(description.raw.pendingActivities ?? [], [], "it holds no slot");
  assert.deepEqual(await unfinishedFiles(pipeline.sql as never, pipeline.inboxId), [], "nor room");
  await assert.rejects(handle.executeUpdate("pause"), refused(/it is paused already/));
  assert.equal(await committed(pipeline), before);

  await handle.executeUpdate("resume");
  const result = await handle.result();
  assert.deepEqual([result.state, result.loaded], ["loaded", ROWS]);
  assert.equal(await isPaused(pipeline), false);
  assert.deepEqual(await pipeline.verify(), []);
});

Deno.test("ingestFile goes on when it is resumed before the pause has taken effect", async () => {
  await using at = await heldAt(3);
  const { pipeline, handle, letGo } = at;
  await handle.executeUpdate("pause");
  await handle.executeUpdate("resume");
  letGo();
  const result = await handle.result();
  assert.deepEqual([result.state, result.loaded], ["loaded", ROWS]);
  assert.equal(await isPaused(pipeline), false);
  assert.deepEqual(await pipeline.verify(), []);
});

Deno.test("ingestFile holds before it settles when the pause came with its last chunk", async () => {
  await using at = await heldAt(3);
  const { pipeline, handle, letGo } = at;
  const chunks = (await pipeline.sql`select from ingest.chunks`).length;
  const held = await handle.query(progressQuery);
  assert.equal(held.phase, "loading");
  letGo();
  await waitFor(async () => await committed(pipeline) >= chunks - 1, { what: "nearly all chunks" });
  const paused = await handle.executeUpdate("pause").then(() => true, () => false);
  if (paused) {
    await waitFor(() => isPaused(pipeline), { what: "the pause to be noted" });
    const [file] = await pipeline.sql`select state from ingest.files`;
    assert.equal(file?.state, "loading");
    const { searchAttributes } = await handle.describe();
    assert.deepEqual(searchAttributes.FileState, ["paused"]);
    await handle.executeUpdate("resume");
  }
  assert.equal((await handle.result()).loaded, ROWS);
  assert.deepEqual(await pipeline.verify(), []);
});

Deno.test("ingestFile stays paused when its worker is killed, and another goes on", async () => {
  await using at = await heldAt(3);
  const { pipeline, handle, letGo } = at;
  await handle.executeUpdate("pause");
  letGo();
  await waitFor(() => isPaused(pipeline), { what: "the pause to be noted" });
  const before = await committed(pipeline);
  await at.stopWorker();
  await pipeline.runWorker();
  assert.equal((await handle.query(progressQuery)).phase, "paused");
  assert.equal(await committed(pipeline), before);
  await handle.executeUpdate("resume");
  assert.equal((await handle.result()).loaded, ROWS);
  assert.deepEqual(await pipeline.verify(), []);
});

Deno.test("ingestFile is cancelled while it is paused, by the server and by update", async (t) => {
  for (const by of ["server", "update"] as const) {
    await t.step(by, async () => {
      await using at = await heldAt(3);
      const { pipeline, handle, letGo } = at;
      await handle.executeUpdate("pause");
      letGo();
      await waitFor(() => isPaused(pipeline), { what: "the pause to be noted" });
      if (by === "server") await handle.cancel();
      else await handle.executeUpdate("cancel");
      const result = await handle.result().catch(() => undefined);
      if (by === "update") assert.equal(result?.state, "cancelled");
      const [file] = await pipeline.sql`
        select state, settled_at is not null as settled, paused_at from ingest.files`;
      assert.deepEqual({ ...file }, { state: "cancelled", settled: true, paused_at: null });
      assert.equal((await pipeline.sql`select from shop.events`).length, 0);
      assert.deepEqual(await pipeline.verify(), []);
    });
  }
});

Deno.test("ingestFile is cancelled by update at a chunk border, and takes out what it loaded", async () => {
  await using at = await heldAt(3);
  const { pipeline, handle, letGo } = at;
  await handle.executeUpdate("cancel");
  letGo();
  assert.equal((await handle.result()).state, "cancelled");
  assert.equal((await pipeline.sql`select from shop.events`).length, 0);
  assert.deepEqual(await pipeline.verify(), []);
});

Deno.test("ingestFile refuses what comes too late, or has nothing to act on, with the reason", async () => {
  await using at = await heldAt(3);
  const { handle, letGo } = at;
  await assert.rejects(handle.executeUpdate("resume"), refused(/it is not paused/));
  letGo();
  await handle.result();
  await assert.rejects(handle.executeUpdate("pause"));
});

Deno.test("ingestFile does not stop a small file, which is done at once", async () => {
  await using pipeline = await faultPipeline();
  await Deno.writeTextFile(`${pipeline.inbox}/a.csv`, eventLines({ seed: 3, rows: 20 }));
  const handle = await pipeline.ingest("a.csv");
  // It is answered with the reason, or finds that the file is loaded already.
  const answered = assert.rejects(handle.executeUpdate("pause"));
  await pipeline.runWorker();
  await answered;
  assert.equal((await handle.result()).loaded, 20);
});

/** A file whose loading stands still before a chunk, until it is let go. */
async function heldAt(chunk: number) {
  const parts = new AsyncDisposableStack();
  const pipeline = parts.use(await faultPipeline({ chunkBytes: 4 * 1024 }));
  const held = Promise.withResolvers<void>();
  await Deno.writeTextFile(`${pipeline.inbox}/a.csv`, eventLines({ seed: 3, rows: ROWS }));
  const worker = await runWorker(pipeline.setup, {
    beforeChunk: async (_fileId, chunkNo) => {
      if (chunkNo >= chunk) await held.promise;
    },
  });
  let stopping: Promise<void> | undefined;
  const handle: IngestHandle = await pipeline.ingest("a.csv", SPAN_BY_SPAN);
  await waitFor(async () => await committed(pipeline) >= chunk - 1, { what: "the first chunks" });
  return {
    pipeline,
    handle,
    letGo: () => held.resolve(),
    stopWorker: () => stopping ??= worker.stop(),
    [Symbol.asyncDispose]: async () => {
      held.resolve();
      await (stopping ??= worker.stop());
      await parts.disposeAsync();
    },
  };
}

async function committed({ sql }: FaultPipeline): Promise<number> {
  return (await sql`select from ingest.chunks where committed_at is not null`).length;
}

async function isPaused({ sql }: FaultPipeline): Promise<boolean> {
  return (await sql`select from ingest.files where paused_at is not null`).length > 0;
}

function refused(message: RegExp) {
  return (error: unknown) =>
    error instanceof WorkflowUpdateFailedError && message.test(String(error.cause?.message));
}
