import assert from "node:assert/strict";
import { Client } from "@temporalio/client";
import { replayFile } from "../../../scripts/rejects/replay_file.ts";
import { csv, event, line } from "../../activities/_events.ts";
import { waitFor } from "../../harness.ts";
import { faultPipeline } from "../../faults/_fault_pipeline.ts";

const CONFIG = { heartbeatTimeoutMs: 1_500, chunkBytes: 64 * 1024 };

Deno.test("replayFile() does its own work when another replay of the file is under way", async () => {
  await using pipeline = await faultPipeline();
  const { sql, client, inboxId, inbox } = pipeline;
  await pipeline.runWorker();
  const rows = [event(1, { price: "x" }), event(2, { quantity: "x" })];
  await Deno.writeTextFile(`${inbox}/a.csv`, csv(rows));
  const { fileId } = await (await pipeline.ingest("a.csv")).result();
  let starts = 0;
  const counting = new Client({
    connection: client.connection,
    interceptors: {
      workflow: [{
        start(input, next) {
          return next(input).finally(() => starts++);
        },
      }],
    },
  });
  const running = { client: counting, inboxId };

  // The first is held at its reject, so that the second comes while it is under way.
  const [release, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holding = sql.begin(async (tx) => {
    await tx`select from ingest.rejects where reject_id = 1 for update`;
    held.resolve();
    await release.promise;
  });
  await held.promise;
  const first = replayFile(running, CONFIG, { fileId, column: "price" });
  await waitFor(() => starts === 1, { what: "the first start" });
  const corrected = new TextEncoder().encode(line(event(2)).trimEnd());
  await sql`select ingest.correct_reject(2, ${corrected})`;
  const second = replayFile(running, CONFIG, { fileId, rejectId: 2 });
  await waitFor(() => starts === 2, { what: "the second start" });
  release.resolve();
  await holding;

  assert.deepEqual((await first).open, 1);
  const { loaded, open } = await second;
  assert.deepEqual({ loaded, open }, { loaded: 1, open: 0 });
  assert.deepEqual(await pipeline.verify(), []);
});
