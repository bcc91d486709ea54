import assert from "node:assert/strict";
import { WorkflowFailedError } from "@temporalio/client";
import { eventLines } from "../event_lines.ts";
import { waitFor } from "../harness.ts";
import { type FaultPipeline, faultPipeline } from "./_fault_pipeline.ts";
import { waitForSign } from "./_signs.ts";

/**
 * The server goes on handing tasks to the polls of the stopped worker, which are still open; each
 * of them costs a timeout before it goes to the other worker.
 */
const IMPATIENT = {
  shortWay: false,
  workflowTaskTimeoutMs: 1_000,
  settings: { heartbeatTimeoutMs: 800 },
};

Deno.test("loadSpan() writes nothing after its file was cancelled while the worker was stopped", async () => {
  await using pipeline = await faultPipeline();
  const { sql, gate, inbox } = pipeline;
  await Deno.writeTextFile(`${inbox}/events.csv`, eventLines({ seed: 1, rows: 2_000 }));
  const stopped = await pipeline.startWorker({ gate });
  const handle = await pipeline.ingest("events.csv", IMPATIENT);
  await waitForSign(gate, /^reached-/);
  stopped.kill("SIGSTOP");

  await pipeline.runWorker();
  await handle.cancel();
  await assert.rejects(handle.result(), WorkflowFailedError);
  const [file] = await sql`select state, error_code, settled_at from ingest.files`;
  assert.deepEqual([file?.state, file?.error_code], ["cancelled", "cancelled"]);
  assert.ok(file?.settled_at);

  const before = await count(sql);
  await Deno.writeTextFile(`${gate}/go`, "");
  stopped.kill("SIGCONT");
  // The worker drains only when its last attempt has ended, one way or the other.
  stopped.kill("SIGTERM");
  await stopped.exited;
  assert.deepEqual(await count(sql), before);
  assert.deepEqual(before, { keys: 0, events: 0, chunks: 0 });
  assert.deepEqual(await pipeline.verify(), []);
});

Deno.test("loadSpan() loads each chunk once when an attempt of the same epoch takes over", async () => {
  await using pipeline = await faultPipeline();
  const { sql, gate, inbox } = pipeline;
  const rows = 2_000;
  await Deno.writeTextFile(`${inbox}/events.csv`, eventLines({ seed: 2, rows }));
  const stopped = await pipeline.startWorker({ gate });
  const handle = await pipeline.ingest("events.csv", IMPATIENT);
  await waitForSign(gate, /^reached-/);
  stopped.kill("SIGSTOP");

  // The heartbeat of the stopped worker runs out, and its spans go to this one, in the same epoch.
  await pipeline.runWorker();
  const [first] = await waitFor(async () => {
    const found = await sql`select epoch from ingest.chunks where committed_at is not null limit 1`;
    return found.length > 0 ? found : null;
  }, { what: "the second worker to commit a chunk" });
  await Deno.writeTextFile(`${gate}/go`, "");
  stopped.kill("SIGCONT");
  const result = await handle.result();
  stopped.kill("SIGTERM");
  await stopped.exited;

  assert.equal(first?.epoch, 1);
  assert.deepEqual([result.state, result.loaded, result.duplicates], ["loaded", rows, 0]);
  assert.deepEqual((await count(sql)).events, rows);
  assert.deepEqual(await pipeline.verify(), []);
});

async function count(sql: FaultPipeline["sql"]) {
  const [row] = await sql<{ keys: number; events: number; chunks: number }[]>`
    select (select count(*)::integer from ingest.event_keys) as keys,
           (select count(*)::integer from shop.events) as events,
           (select count(*)::integer from ingest.chunks where committed_at is not null) as chunks`;
  return { ...row } as { keys: number; events: number; chunks: number };
}
