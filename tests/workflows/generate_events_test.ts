import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Client, WorkflowUpdateFailedError } from "@temporalio/client";
import { NativeConnection, Worker } from "@temporalio/worker";
import { createLandTick } from "../../activities/land_tick.ts";
import { startGenerator } from "../../domain/generator_change.ts";
import type { Tick } from "../../domain/generator_state.ts";
import {
  changeUpdate,
  generateEvents,
  pauseUpdate,
  resumeUpdate,
  statusQuery,
  stopUpdate,
} from "../../workflows/generate_events.ts";
import { tempDir, testBundle, testTemporal, waitFor } from "../harness.ts";

const FAST = { minMs: 20, maxMs: 40 };
const SEED = 7;

Deno.test("generateEvents() lands windows side by side, and obeys pause, resume, rate and stop", async () => {
  await using generator = await startedGenerator();
  const { handle, ticks } = generator;
  await waitFor(() => ticks.length >= 3, { what: "three files" });

  await handle.executeUpdate(pauseUpdate);
  const paused = await handle.query(statusQuery);
  assert.equal(paused.paused, true);
  await assert.rejects(
    handle.executeUpdate(pauseUpdate),
    isRefusal("Cannot pause: already paused"),
  );
  await assert.rejects(
    handle.executeUpdate(changeUpdate, { args: [{ eventsPerSecond: -1 }] }),
    isRefusal("Cannot set the rate to -1 events a second: expected more than 0 and at most 2000"),
  );
  await assert.rejects(
    handle.executeUpdate(changeUpdate, { args: [{ interval: { minMs: 5, maxMs: 1 } }] }),
    isRefusal("Cannot wait 5..1 ms between files: expected 10 ms to 1 h, shortest first"),
  );
  assert.deepEqual((await handle.query(statusQuery)).sequence, paused.sequence);

  await handle.executeUpdate(changeUpdate, { args: [{ eventsPerSecond: 80 }] });
  await handle.executeUpdate(resumeUpdate);
  const resumedAt = ticks.length;
  await waitFor(() => ticks.length >= resumedAt + 3, { what: "three files after the pause" });
  await handle.executeUpdate(stopUpdate);
  const last = await handle.result();

  assert.equal(last.rates.at(-1)?.eventsPerSecond, 80);
  assert.deepEqual(ticks.map(({ sequence }) => sequence), ticks.map((_, index) => index + 1));
  const gaps = ticks.slice(1).filter((tick, index) => tick.from !== ticks[index]?.to);
  // A live feed goes on with the present after a pause: one gap, and no overlap.
  assert.equal(gaps.length, 1);
  assert.ok(ticks.slice(1).every((tick, index) => tick.from >= (ticks[index]?.to ?? 0)));
  assert.equal(last.filesLanded, ticks.length);
  assert.equal((await filesOf(generator.directory)).length, ticks.length);
});

Deno.test("generateEvents() ends by itself after the number of files asked for", async () => {
  await using generator = await startedGenerator({ files: 3 });
  const last = await generator.handle.result();
  assert.equal(last.filesLanded, 3);
  assert.equal(last.stopped, true);
  assert.equal((await filesOf(generator.directory)).length, 3);
});

Deno.test("landTick() lands the same bytes when it is tried again, and once", async () => {
  await using folder = await tempDir();
  const tick: Tick = {
    directory: folder.path,
    truthDirectory: `${folder.path}/.truth`,
    seed: SEED,
    profile: "rees46",
    rates: [{ from: 0, eventsPerSecond: 50 }],
    faults: {},
    since: 0,
    from: Date.UTC(2026, 0, 5, 12),
    to: Date.UTC(2026, 0, 5, 12, 0, 20),
    sequence: 4,
  };
  const first = await createLandTick()(tick);
  const [hash] = await hashesOf(folder.path);
  assert.deepEqual(await createLandTick()(tick), first);
  assert.deepEqual(await filesOf(folder.path), ["events-20260105T120020Z-000004.csv"]);
  await Deno.remove(`${folder.path}/${first.fileName}`);
  const again = createLandTick();
  await again({ ...tick, from: tick.from - 5_000, to: tick.from, sequence: 3 });
  assert.deepEqual(await again(tick), first);
  assert.ok((await hashesOf(folder.path)).includes(hash ?? ""));
  assert.ok(first.events > 300, `${first.events} events`);
});

async function startedGenerator({ files }: { files?: number } = {}) {
  const disposables = new AsyncDisposableStack();
  const folder = disposables.use(await tempDir());
  const address = await testTemporal();
  const taskQueue = `generator-${crypto.randomUUID()}`;
  const ticks: Tick[] = [];
  const landTick = createLandTick();
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: { codePath: await testBundle() },
    activities: {
      landTick(tick: Tick) {
        ticks.push(tick);
        return landTick(tick);
      },
    },
  });
  const running = worker.run();
  disposables.defer(async () => {
    worker.shutdown();
    await running;
    await connection.close();
  });
  const handle = await new Client({ connection }).workflow.start(generateEvents, {
    taskQueue,
    workflowId: taskQueue,
    args: [startGenerator({
      directory: folder.path,
      truthDirectory: `${folder.path}/.truth`,
      seed: SEED,
      eventsPerSecond: 40,
      from: Date.now(),
      interval: FAST,
      ...(files !== undefined && { files }),
    })],
  });
  disposables.defer(async () => {
    await handle.terminate().catch(() => {});
  });
  return {
    handle,
    ticks,
    directory: folder.path,
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}

function isRefusal(message: string) {
  return (error: unknown) =>
    error instanceof WorkflowUpdateFailedError && error.cause?.message === message;
}

async function filesOf(directory: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  return entries.map(({ name }) => name).sort();
}

async function hashesOf(directory: string): Promise<string[]> {
  const names = await filesOf(directory);
  return await Promise.all(
    names.map(async (name) =>
      createHash("sha256").update(await Deno.readFile(`${directory}/${name}`)).digest("hex")
    ),
  );
}
