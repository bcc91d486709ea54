import "./_quiet_runtime.ts";
import assert from "node:assert/strict";
import { Client, type WorkflowHandle } from "@temporalio/client";
import { NativeConnection } from "@temporalio/worker";
import { createCatalog } from "../../domain/generator/create_catalog.ts";
import { parseFileName } from "../../domain/generator/file_name.ts";
import { generateWindow } from "../../domain/generator/generate_window.ts";
import { Prng } from "../../domain/generator/prng.ts";
import { REES46 } from "../../domain/generator/rees46.ts";
import { EVENT_HEADER, writeEvents } from "../../domain/generator/write_events.ts";
import { startGenerator } from "../../domain/generator_change.ts";
import type { GeneratorState, Tick } from "../../domain/generator_state.ts";
import { changeUpdate, generateEvents, stopUpdate } from "../../workflows/generate_events.ts";
import { tempDir, testBundle, waitFor } from "../harness.ts";
import type { GeneratorSetup } from "./_generator_process.ts";
import { ownTemporal } from "./_own_services.ts";
import { startWorkerProcess } from "./_start_worker_process.ts";
import { listNames } from "./_planted_files.ts";

const KILLS = 10;
const SEED = 11;
/** Of them, the one during which the server is killed as well. */
const SERVER_KILL = 5;
const MAX_FILES_BETWEEN = 4;
const MAX_DELAY_MS = 100;

Deno.test("generateEvents() lands every tick once, whatever is killed", async () => {
  await using server = await ownTemporal();
  await using folder = await tempDir();
  const directory = `${folder.path}/inbox`;
  await Deno.mkdir(directory);
  const taskQueue = `generator-${crypto.randomUUID()}`;
  const setup: GeneratorSetup = {
    temporalAddress: server.address,
    bundlePath: await testBundle(),
    taskQueue,
  };
  const connection = await NativeConnection.connect({ address: server.address });
  await using _closing = { [Symbol.asyncDispose]: () => connection.close() };
  const from = Date.now();
  const handle = await new Client({ connection }).workflow.start(generateEvents, {
    taskQueue,
    workflowId: taskQueue,
    workflowTaskTimeout: "1 second",
    args: [startGenerator({
      directory,
      truthDirectory: `${folder.path}/truth`,
      seed: SEED,
      eventsPerSecond: 100,
      from,
      interval: { minMs: 60, maxMs: 160 },
    })],
  });

  const logs: string[] = [];
  const spawn = () => startWorkerProcess(setup, logs, "tests/faults/_generator_process.ts");
  const prng = new Prng(SEED);
  let worker = await spawn();
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      // Now nobody is there for a while, now another worker takes over at once.
      const next = kill % 2 === 0 ? spawn() : null;
      const wanted = (await listNames(directory)).length + 1 + prng.below(MAX_FILES_BETWEEN);
      await waitFor(async () => (await listNames(directory)).length >= wanted, {
        what: `files after kill ${kill}`,
        timeoutMs: 60_000,
      });
      await new Promise((resolve) => setTimeout(resolve, prng.below(MAX_DELAY_MS)));
      worker.kill("SIGKILL");
      await worker.exited;
      if (kill === SERVER_KILL) {
        await server.end("SIGKILL");
        await server.start();
      }
      worker = await (next ?? spawn());
      if (kill === 0) await changeRate(handle);
    }
    const last = await stop(handle, directory);
    await assertEachTickOnce(handle, { directory, from, last });
  } finally {
    worker.kill("SIGKILL");
    await worker.exited;
  }
});

/** The first half of the test runs at one rate, the rest at another. */
async function changeRate(handle: WorkflowHandle<typeof generateEvents>): Promise<void> {
  await handle.executeUpdate(changeUpdate, { args: [{ eventsPerSecond: 170 }] });
}

async function stop(
  handle: WorkflowHandle<typeof generateEvents>,
  directory: string,
): Promise<GeneratorState> {
  const landed = (await listNames(directory)).length;
  await waitFor(async () => (await listNames(directory)).length > landed + 2, {
    what: "files after the last kill",
    timeoutMs: 60_000,
  });
  await handle.executeUpdate(stopUpdate);
  return await handle.result();
}

async function assertEachTickOnce(
  handle: WorkflowHandle<typeof generateEvents>,
  { directory, from, last }: { directory: string; from: number; last: GeneratorState },
): Promise<void> {
  const names = await listNames(directory);
  const numbers = names.map((name) => parseFileName(name)?.sequence).toSorted((a, b) => a! - b!);
  assert.deepEqual(numbers, names.map((_, index) => index + 1));
  assert.equal(last.filesLanded, names.length);
  assert.equal(last.sequence, names.length + 1);

  const ticks = await ticksOf(handle);
  assert.deepEqual(ticks.map(({ sequence }) => sequence), numbers);
  ticks.forEach((tick, index) => assert.equal(tick.from, ticks[index - 1]?.to ?? from));

  const texts = await Promise.all(names.map((name) => Deno.readTextFile(`${directory}/${name}`)));
  const inOrder = texts.map((text, index) => ({
    sequence: parseFileName(names[index]!)!.sequence,
    text: text.slice(EVENT_HEADER.length),
  })).toSorted((one, other) => one.sequence - other.sequence);
  assert.ok(texts.every((text) => text.startsWith(EVENT_HEADER)));
  const whole = generateWindow({
    ...{ seed: SEED, profile: REES46, catalog: createCatalog(SEED, REES46) },
    ...{ rates: last.rates, from, to: last.feedTime },
  });
  assert.equal(inOrder.map(({ text }) => text).join(""), writeEvents(whole));
  assert.equal(last.eventsLanded, whole.length);
}

/** What the history says was asked of the activity, over all runs. */
async function ticksOf(handle: WorkflowHandle<typeof generateEvents>): Promise<Tick[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => {
    const data = scheduled?.input?.payloads?.[0]?.data;
    return data ? [JSON.parse(new TextDecoder().decode(data)) as Tick] : [];
  });
}
