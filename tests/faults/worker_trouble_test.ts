import assert from "node:assert/strict";
import { eventLines } from "../event_lines.ts";
import { type FaultPipeline, faultPipeline, type IngestHandle } from "./_fault_pipeline.ts";
import { resetToStart, restartTerminated } from "./_steer_workflow.ts";

const ROWS = 60;
const chunkBytes = 4 * 1024;
/** Beyond the heartbeat timeout of these pipelines. */
const STALLED_MS = 2_500;

Deno.test("Worker out of memory within a chunk → it dies, and the file loads once by another", async () => {
  await using pipeline = await faultPipeline({ chunkBytes });
  const worker = await pipeline.startWorker({ exhaustedHeapMb: 128 });
  const handle = await start(pipeline);
  const { success } = await worker.exited;
  assert.equal(success, false);
  assert.match(pipeline.workerLogs(), /out of memory/);
  await pipeline.runWorker();
  await assertLoadedOnce(pipeline, handle);
});

Deno.test("Event loop stalled beyond the heartbeat timeout → the file loads once", async () => {
  await using pipeline = await faultPipeline({ chunkBytes });
  let stalled = 0;
  await pipeline.runWorker({
    beforeChunkTransaction: () => {
      if (stalled++ > 0) return Promise.resolve();
      for (const end = performance.now() + STALLED_MS; performance.now() < end;);
      return Promise.resolve();
    },
  });
  await assertLoadedOnce(pipeline, await start(pipeline));
  assert.ok(stalled > 0);
});

for (const sqlstate of ["40P01", "40001"]) {
  Deno.test(`PostgreSQL answers SQLSTATE ${sqlstate} to the first inserts → the file loads once`, async () => {
    await using pipeline = await faultPipeline({ chunkBytes });
    // A sequence counts also what is rolled back.
    await pipeline.sql.unsafe(`
      create sequence public.inserts;
      grant usage on sequence public.inserts to public;
      create function public.refuse() returns trigger language plpgsql as $$
        begin
          if nextval('public.inserts') <= 3 then
            raise exception 'refused' using errcode = '${sqlstate}';
          end if;
          return null;
        end $$;
      create trigger refuse before insert on shop.events
        for each statement execute function public.refuse()`);
    await pipeline.runWorker();
    await assertLoadedOnce(pipeline, await start(pipeline));
    const [{ refused } = {}] = await pipeline
      .sql`select last_value > 3 as refused from public.inserts`;
    assert.equal(refused, true);
  });
}

for (
  const { what, steer } of [
    { what: "terminated and started anew", steer: restartTerminated },
    { what: "reset to its start", steer: resetToStart },
  ]
) {
  Deno.test(`Workflow ${what} within a chunk → the file loads once`, async () => {
    await using pipeline = await faultPipeline({ chunkBytes });
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    await pipeline.runWorker({
      beforeChunkTransaction: async (_fileId, chunkNo) => {
        if (chunkNo !== 1) return;
        reached.resolve();
        await released.promise;
      },
    });
    const handle = await start(pipeline);
    await reached.promise;
    await steer(pipeline, handle);
    released.resolve();
    await assertLoadedOnce(pipeline, pipeline.client.workflow.getHandle(handle.workflowId));
  });
}

async function start({ inbox, ingest }: FaultPipeline): Promise<IngestHandle> {
  await Deno.writeTextFile(`${inbox}/events.csv`, eventLines({ seed: 92, rows: ROWS }));
  return await ingest("events.csv", { shortWay: false });
}

async function assertLoadedOnce(pipeline: FaultPipeline, handle: IngestHandle): Promise<void> {
  const { state, loaded, duplicates, rejected } = await handle.result();
  assert.deepEqual([state, loaded, duplicates, rejected], ["loaded", ROWS, 0, 0]);
  const [{ events } = {}] = await pipeline.sql`select count(*)::integer as events from shop.events`;
  assert.equal(events, ROWS);
  assert.deepEqual(await pipeline.verify(), []);
}
