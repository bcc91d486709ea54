import assert from "node:assert/strict";
import { Client } from "@temporalio/client";
import { NativeConnection } from "@temporalio/worker";
import { tcpProxy } from "../activities/_tcp_proxy.ts";
import { testTemporal, waitFor } from "../harness.ts";
import { csvOf, type WatchedInbox, watchedInbox } from "./_watched_inbox.ts";

Deno.test("watchInbox() waits for PostgreSQL, says so once, and loses nothing", async () => {
  await using at = await watchedInbox({ proxied: true });
  const watch = at.watch({ relistMs: 200 });
  await watch.relist();
  await at.proxy?.refuse();
  await Deno.writeTextFile(`${at.folder}/landed`, csvOf(2));
  await Deno.rename(`${at.folder}/landed`, `${at.inbox}/landed.csv`);
  await Deno.writeTextFile(`${at.inbox}/in place.csv`, csvOf(2));
  await Deno.symlink(`${at.folder}/nothing`, `${at.inbox}/link.csv`);
  await watch.relist();
  await watch.relist();
  assert.equal(linesAbout(at, "PostgreSQL is away"), 1);
  await at.proxy?.listen();
  const rows = await at.settled(3);
  assert.deepEqual(
    rows.map(({ file_name, state }) => [file_name, state]).sort(),
    [["in place.csv", "loaded"], ["landed.csv", "loaded"], ["link.csv", "failed"]],
  );
  assert.equal(linesAbout(at, "PostgreSQL is away"), 1);
  assert.equal(linesAbout(at, "PostgreSQL is back"), 1);
  assert.deepEqual(await at.violations(), []);
});

Deno.test("watchInbox() waits for Temporal, says so once, and loses nothing", async () => {
  await using at = await watchedInbox();
  const address = await testTemporal();
  await using proxy = await tcpProxy(`http://${address}`);
  const connection = await NativeConnection.connect({ address: new URL(proxy.url).host });
  let [begun, letGo] = [0, 0];
  const watch = at.watch({
    client: new Client({ connection }),
    eager: false,
    relistMs: 200,
    onStarting() {
      begun++;
      return () => void letGo++;
    },
  });
  try {
    await watch.relist();
    await proxy.refuse();
    for (let i = 0; i < 3; i++) {
      await Deno.writeTextFile(`${at.folder}/landed`, csvOf(2));
      await Deno.rename(`${at.folder}/landed`, `${at.inbox}/${i}.csv`);
    }
    await waitFor(() => linesAbout(at, "Temporal is away"), { what: "word of the outage" });
    assert.ok(letGo > 0, "what was begun with a file whose start fails");
    await proxy.listen();
    const rows = await at.settled(3);
    assert.ok(rows.every(({ state }) => state === "loaded"));
    assert.ok(begun <= 3, "one was begun behind a start that had failed");
    assert.equal(letGo, begun);
    assert.equal(linesAbout(at, "Temporal is away"), 1);
    assert.equal(linesAbout(at, "Temporal is back"), 1);
  } finally {
    await watch.stop();
    await connection.close();
  }
});

Deno.test("watchInbox() keeps its bound when nobody runs the workflows", async () => {
  await using at = await watchedInbox({ worker: false });
  for (let i = 0; i < 12; i++) await Deno.writeTextFile(`${at.inbox}/${i}.csv`, csvOf(1));
  const watch = at.watch({ maxFilesInFlight: 5 });
  await waitFor(() => watch.stats().started === 5, { what: "5 started files" });
  for (let i = 0; i < 3; i++) await watch.relist();
  const { waiting, inFlight, started } = watch.stats();
  assert.deepEqual({ waiting, inFlight, started }, { waiting: 7, inFlight: 5, started: 5 });
  const runs = await waitFor(async () => {
    const found = await at.runs();
    return found.length >= 5 ? found : null;
  }, { what: "5 workflows" });
  assert.equal(runs.length, 5);
  for (const { workflowId } of runs) await at.client.workflow.getHandle(workflowId).terminate();
});

function linesAbout({ log }: WatchedInbox, what: string): number {
  return log.filter(({ msg }) => msg.includes(what)).length;
}
