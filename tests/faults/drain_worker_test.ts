import assert from "node:assert/strict";
import { eventLines } from "../event_lines.ts";
import { waitFor } from "../harness.ts";
import { faultPipeline } from "./_fault_pipeline.ts";
import { runWorker } from "./_worker_process.ts";

const ROWS = 200;
/** Beyond the grace that workers here give to running activities. */
const LONGER_THAN_GRACE_MS = 1_500;

for (const shortWay of [true, false]) {
  const way = shortWay ? "short way" : "long way";
  Deno.test(`Worker told to stop within a chunk, ${way} → it loads once, nothing is cancelled`, async () => {
    await using pipeline = await faultPipeline({ chunkBytes: 8 * 1024 });
    await Deno.writeTextFile(`${pipeline.inbox}/events.csv`, eventLines({ seed: 81, rows: ROWS }));
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const first = await runWorker(pipeline.setup, {
      beforeChunkTransaction: async (_fileId, chunkNo) => {
        if (chunkNo !== 1) return;
        reached.resolve();
        await released.promise;
      },
    });
    const handle = await pipeline.ingest("events.csv", { shortWay });
    await reached.promise;
    const stopped = first.stop();
    // The grace is a time, so it has to be waited for.
    await new Promise((resolve) => setTimeout(resolve, LONGER_THAN_GRACE_MS));
    released.resolve();
    await stopped;
    // A local activity is waited for; an ordinary one was told to stop at the next chunk.
    const { name } = (await handle.describe()).status;
    assert.equal(name, shortWay ? "COMPLETED" : "RUNNING");

    await pipeline.runWorker();
    const result = await handle.result();
    assert.deepEqual([result.state, result.loaded, result.duplicates], ["loaded", ROWS, 0]);
    assert.deepEqual(await pipeline.verify(), []);
  });
}

Deno.test("File cancelled while nobody runs it → cancelled before it is read, moved to failed", async () => {
  await using pipeline = await faultPipeline();
  await Deno.writeTextFile(`${pipeline.inbox}/events.csv`, eventLines({ seed: 82, rows: ROWS }));
  const handle = await pipeline.ingest("events.csv");
  await handle.cancel();
  await pipeline.runWorker();
  await waitFor(async () => (await handle.describe()).status.name === "CANCELLED", {
    what: "the workflow to end as cancelled",
  });
  const [file] = await pipeline.sql`
    select state, error_code, archive_path like ${`${pipeline.failed}/%`} as moved
    from ingest.files`;
  assert.deepEqual(file, { state: "cancelled", error_code: "cancelled", moved: true });
});
