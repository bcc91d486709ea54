import assert from "node:assert/strict";
import { eventLines } from "../event_lines.ts";
import { type FaultPipeline, faultPipeline } from "./_fault_pipeline.ts";
import { waitForSign } from "./_signs.ts";
import { runWorker, STEPS } from "./_worker_process.ts";

const ROWS = 60;
/** Several chunks in two ways, and one chunk, which is loaded in one transaction. */
const WAYS = [
  { way: "long way", shortWay: false, chunkBytes: 4 * 1024, steps: STEPS },
  { way: "short way", shortWay: true, chunkBytes: 4 * 1024, steps: STEPS },
  {
    way: "at once",
    shortWay: true,
    chunkBytes: 1024 * 1024,
    steps: STEPS.filter((step) => step !== "beforeChunk"),
  },
];
const IMPATIENT = {
  workflowTaskTimeoutMs: 1_000,
  settings: { heartbeatTimeoutMs: 800 },
};

/** What happens to the worker, and whether it comes to its senses when another one has done its work. */
const SIGNALS = [
  { signal: "SIGKILL", goesOn: false },
  { signal: "SIGTERM", goesOn: false },
  { signal: "SIGSTOP", goesOn: true },
] as const;

for (const { way, shortWay, chunkBytes, steps } of WAYS) {
  Deno.test(`Worker killed, drained or stopped for long at each step, ${way} → each file loads once`, async (t) => {
    await using pipeline = await faultPipeline({ chunkBytes });
    let files = 0;
    for (const step of steps) {
      for (const { signal, goesOn } of SIGNALS) {
        await t.step(
          `${signal} at ${step}`,
          () => hit(pipeline, { step, signal, goesOn, shortWay, files: files++ }),
        );
      }
    }
    const [row] = await pipeline.sql`
      select (select count(*)::integer from shop.events) as events,
             (select count(*)::integer from ingest.files where settled_at is null) as open`;
    assert.deepEqual({ ...row }, { events: ROWS * files, open: 0 });
  });
}

/** Lets a worker come to the step, hits it, has another one do the rest, and wakes the first if it lives. */
async function hit(
  pipeline: FaultPipeline,
  { step, signal, goesOn, shortWay, files }: {
    step: (typeof STEPS)[number];
    signal: Deno.Signal;
    goesOn: boolean;
    shortWay: boolean;
    files: number;
  },
): Promise<void> {
  const gate = `${pipeline.gate}/${files}`;
  await Deno.mkdir(gate);
  const name = `events-${files}.csv`;
  const text = eventLines({ seed: 91, rows: ROWS, from: files * ROWS });
  await Deno.writeTextFile(`${pipeline.inbox}/${name}`, text);
  const first = await pipeline.startWorker({ gate, gateAt: step });
  const handle = await pipeline.ingest(name, { ...IMPATIENT, shortWay });
  await waitForSign(gate, /^reached-/);
  first.kill(signal);
  if (signal === "SIGTERM") await Deno.writeTextFile(`${gate}/go`, "");
  if (!goesOn) await first.exited;

  const second = await runWorker(pipeline.setup);
  const { state, loaded, duplicates } = await handle.result();
  await Deno.writeTextFile(`${gate}/go`, "");
  first.kill("SIGCONT");
  // It drains only when its late attempt has ended, one way or the other.
  first.kill("SIGTERM");
  await first.exited;
  await second.stop();
  assert.deepEqual([state, loaded, duplicates], ["loaded", ROWS, 0]);
  assert.deepEqual(await pipeline.verify(), []);
}
