import assert from "node:assert/strict";
import { ApplicationFailure } from "@temporalio/common";
import { csv, events } from "./_events.ts";
import { ingest } from "./_ingest.ts";
import { type Job, type Warehouse, warehouse } from "./_warehouse.ts";

Deno.test("openVersion() waits for a directory that is away", async () => {
  await using house = await warehouse();
  const job = await house.job(await house.land("a.csv", csv(events(0, 5))));
  await Deno.rename(house.inbox, `${house.inbox}.away`);
  await assertAway(house, job, /inbox is not there\. Mount it or put it back/);
  await Deno.rename(`${house.inbox}.away`, house.inbox);
  const result = await ingest(house, job);
  assert.deepEqual([result.state, result.loaded], ["loaded", 5]);
});

Deno.test("openVersion() waits for an inbox under whose name lies an empty directory", async () => {
  await using house = await warehouse();
  await Deno.writeTextFile(`${house.inbox}/.clickledger-inbox`, `${house.inboxId}\n`);
  await ingest(house, await house.land("a.csv", csv(events(0, 5))));
  const job = await house.job(await house.land("b.csv", csv(events(5, 10))));
  // As an unmounted disk leaves it.
  await Deno.rename(house.inbox, `${house.inbox}.away`);
  await Deno.mkdir(house.inbox);
  await assertAway(house, job, /has no \.clickledger-inbox any more/);
  await Deno.remove(house.inbox);
  await Deno.rename(`${house.inbox}.away`, house.inbox);
  const result = await ingest(house, job);
  assert.deepEqual([result.state, result.loaded], ["loaded", 5]);
});

Deno.test("openVersion() waits for a directory that goes away between inspection and load", async () => {
  await using house = await warehouse({ chunkBytes: 500 });
  const job = await house.job(await house.land("a.csv", csv(events(0, 5))));
  house.deps.hooks = {
    beforeChunk: async () => {
      await Deno.rename(house.inbox, `${house.inbox}.away`);
      throw new Error("the disk went away");
    },
  };
  await assert.rejects(house.run("ingestSmallFile", job, job.input));
  delete house.deps.hooks;
  await assertAway(house, job, /inbox is not there/);
  await Deno.rename(`${house.inbox}.away`, house.inbox);
  const result = await ingest(house, job);
  assert.deepEqual([result.state, result.loaded], ["loaded", 5]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("openVersion() takes a file for gone when its directory is there without it", async () => {
  await using house = await warehouse();
  await Deno.writeTextFile(`${house.inbox}/.clickledger-inbox`, `${house.inboxId}\n`);
  await ingest(house, await house.land("a.csv", csv(events(0, 5))));
  const path = await house.land("b.csv", csv(events(5, 10)));
  const job = await house.job(path);
  await Deno.remove(path);
  const result = await ingest(house, job);
  assert.deepEqual([result.state, result.errorCode], ["failed", "vanished"]);
});

async function assertAway(house: Warehouse, job: Job, message: RegExp): Promise<void> {
  const failure = await house.run("ingestSmallFile", job, job.input).catch((error) => error);
  assert.ok(failure instanceof ApplicationFailure, String(failure?.state ?? failure));
  assert.equal(failure.type, "InboxAway");
  assert.equal(failure.nonRetryable, false);
  assert.match(failure.message, message);
  const [file] = await house.admin`select state from ingest.files order by file_id desc limit 1`;
  assert.equal(file?.state, "loading");
}
