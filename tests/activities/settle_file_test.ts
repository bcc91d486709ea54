import assert from "node:assert/strict";
import { MockActivityEnvironment } from "@temporalio/testing";
import { createActivities } from "../../activities/create_activities.ts";
import type { Claim, IngestFileResult } from "../../domain/ingest_api.ts";
import { abandonFile } from "../../activities/statements/finish_file.ts";
import { settlingPath } from "../../activities/move_file.ts";
import { archivedFiles, recordGrownFile } from "../../activities/statements/grown_files.ts";
import { tempDir } from "../harness.ts";
import { csv, events } from "./_events.ts";
import { claim, finish, ingest, ingestUnfinished, unload } from "./_ingest.ts";
import { type Job, type Warehouse, warehouse } from "./_warehouse.ts";

const OTHER_DEVICE = "/dev/shm";

const TEXT = csv(events(0, 5));

/** A crash between two steps leaves one of these; the steps after it are repeated. */
const CRASHES: Record<string, (house: Warehouse, job: Job, claimed: Claim) => Promise<unknown>> = {
  "before the counts": () => Promise.resolve(),
  "after the counts": async (house, job, claimed) => {
    house.deps.hooks = { afterComplete: crash };
    await assert.rejects(house.run("settleFile", job, claimed), /crash/);
  },
  "after archive_path": async (house, job, claimed) => {
    house.deps.hooks = { beforeMove: crash };
    await assert.rejects(house.run("settleFile", job, claimed), /crash/);
  },
  "after the first rename": async (house, job, claimed) => {
    await CRASHES["after archive_path"]!(house, job, claimed);
    const { path } = job.input.identity;
    await Deno.rename(path, settlingPath(path, claimed.fileId));
  },
  "after the second rename": async (house, job, claimed) => {
    await CRASHES["after archive_path"]!(house, job, claimed);
    await Deno.rename(job.input.identity.path, archived(house, claimed.fileId));
  },
  "after everything": async (house, job, claimed) => {
    await house.run("settleFile", job, claimed);
  },
};

for (const [moment, reach] of Object.entries(CRASHES)) {
  for (const restart of ["settles", "is ingested"]) {
    Deno.test(`settleFile() ends the same after a crash ${moment}, when it ${restart} again`, async () => {
      await using house = await warehouse();
      const { job, claimed } = await loaded(house);
      await reach(house, job, claimed);
      delete house.deps.hooks;
      const result = restart === "settles"
        ? await house.run("settleFile", job, claimed)
        : await ingest(house, job);
      assertArchived(house, result, claimed.fileId);
      const { settled_at, epoch } = await row(house, claimed.fileId);
      assert.ok(settled_at);
      assert.equal(epoch, restart === "is ingested" && moment === "before the counts" ? 2 : 1);
      assert.deepEqual(await list(house.inbox), []);
      assert.deepEqual(await list(house.deps.directories.archive), [`a.${claimed.fileId}.csv`]);
      assert.deepEqual(await house.violations(), []);
    });
  }
}

Deno.test("settleFile() leaves a version that came between commit and move", async () => {
  await using house = await warehouse();
  const { job, claimed } = await loaded(house);
  const newer = csv(events(0, 9));
  house.deps.hooks = {
    beforeMove: async () => {
      await house.land(".newer", newer);
      await Deno.rename(`${house.inbox}/.newer`, job.input.identity.path);
    },
  };
  const result = await house.run("settleFile", job, claimed);
  delete house.deps.hooks;
  assert.deepEqual([result.state, result.loaded, result.errorCode], ["loaded", 5, "replaced"]);
  assert.equal(result.archivePath, undefined);
  assert.equal(await Deno.readTextFile(job.input.identity.path), newer);
  assert.deepEqual(await list(house.deps.directories.archive), []);
  // The re-list takes it for the new file that it is.
  const next = await ingest(house, job.input.identity.path);
  assert.deepEqual([next.state, next.loaded, next.duplicates], ["loaded", 4, 5]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("settleFile() says that somebody removed the file", async () => {
  await using house = await warehouse();
  const { job, claimed } = await loaded(house);
  await Deno.remove(job.input.identity.path);
  const result = await house.run("settleFile", job, claimed);
  assert.deepEqual([result.state, result.loaded, result.archivePath], ["loaded", 5, undefined]);
  assert.match(result.errorMessage ?? "", /somebody removed it/);
});

Deno.test("settleFile() waits until the archive can be written", async () => {
  await using house = await warehouse();
  const { job, claimed } = await loaded(house);
  const { archive } = house.deps.directories;
  await Deno.remove(archive);
  await Deno.writeTextFile(archive, "");
  await assert.rejects(house.run("settleFile", job, claimed));
  assert.equal((await row(house, claimed.fileId)).settled_at, null);
  await Deno.remove(archive);
  await Deno.mkdir(archive);
  assertArchived(house, await house.run("settleFile", job, claimed), claimed.fileId);
});

Deno.test("settleFile() leaves files in the inbox where they are kept", async () => {
  await using house = await warehouse({ archivePolicy: "keep" });
  const { job, claimed } = await loaded(house);
  const result = await house.run("settleFile", job, claimed);
  assert.deepEqual([result.state, result.archivePath], ["loaded", undefined]);
  assert.deepEqual(await list(house.inbox), ["a.csv"]);
});

Deno.test("settleFile() refuses a claim that is no longer the current one", async () => {
  await using house = await warehouse();
  const { job, claimed } = await loaded(house);
  await claim(house, job);
  await assert.rejects(house.run("settleFile", job, claimed), { type: "StaleClaim" });
  await assert.rejects(house.run("settleFile", job, { fileId: claimed.fileId }), {
    type: "StaleClaim",
  });
  assert.deepEqual(await list(house.inbox), ["a.csv"]);
});

Deno.test("settleFile() does not settle a file that was re-opened while it moved", async () => {
  await using house = await warehouse();
  const original = await house.job(await house.land("a.csv", TEXT));
  await claim(house, original);
  house.deps.hooks = {
    beforeMove: async () => {
      delete house.deps.hooks;
      const failed = await house.run("abandonFile", original, original.input, {
        unloadTo: "failed",
      });
      assert.equal(failed.next, "settle");
    },
  };
  const result = await ingest(house, await house.land("b.csv", TEXT));
  assert.deepEqual([result.state, result.fileId], ["loading", 2]);
  assert.equal((await row(house, 2)).settled_at, null);
  await ingestUnfinished(house);
  const { state, settled_at } = await row(house, 2);
  assert.equal(state, "loaded");
  assert.ok(settled_at);
  assert.deepEqual(await list(house.inbox), []);
  assert.deepEqual(await house.violations(), []);
});

for (const state of ["failed", "cancelled", "duplicate", "unloaded"]) {
  Deno.test(`settleFile() puts a file that is ${state} where it belongs`, async () => {
    await using house = await warehouse();
    const job = await house.job(await house.land("a.csv", TEXT));
    const result = await endAs(house, job, state);
    assert.equal(result.state, state);
    const { archive, failed } = house.deps.directories;
    const folder = state === "failed" || state === "cancelled" ? failed : archive;
    const name = `a.${result.fileId}.csv`;
    assert.equal(result.archivePath, `${folder}/${name}`);
    assert.ok((await list(folder)).includes(name));
    assert.ok(!(await list(house.inbox)).includes("a.csv"));
  });
}

Deno.test("settleFile() of a file unloaded before it was moved moves it", async () => {
  await using house = await warehouse();
  const { job, claimed } = await loaded(house);
  await CRASHES["after the first rename"]!(house, job, claimed);
  delete house.deps.hooks;
  const result = await unload(house, claimed.fileId);
  assert.deepEqual([result.state, result.archivePath], ["unloaded", archived(house, 1)]);
  assert.deepEqual(await list(house.inbox), []);
});

Deno.test("settleFile() of a retry takes the bytes over from the row before it", async () => {
  await using house = await warehouse();
  const job = await house.job(await house.land("a.csv", TEXT));
  const before = await endAs(house, job, "failed");
  const fileId = await claimRetry(house, before);
  const [result] = await ingestUnfinished(house);
  assert.deepEqual([result?.state, result?.loaded], ["loaded", 5]);
  assert.equal(result?.archivePath, archived(house, fileId));
  const { archive_path } = await row(house, before.fileId);
  assert.equal(archive_path, null);
  assert.deepEqual(await list(house.deps.directories.failed), []);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("settleFile() gives a file that grew again in the archive back to be found again", async () => {
  await using house = await warehouse();
  const first = await ingest(house, await house.land("a.csv", TEXT));
  const path = first.archivePath!;
  const append = (event: number) =>
    Deno.writeTextFile(path, rowsOf(csv(events(event, event + 1))), { append: true });
  await append(5);
  assert.ok(await recordGrown(house, first.fileId, path));
  // Its writer goes on behind the last look at it, and before it is moved.
  house.deps.hooks = { beforeMove: () => append(6) };
  const [grown] = await ingestUnfinished(house);
  delete house.deps.hooks;
  assert.deepEqual([grown?.loaded, grown?.errorCode, grown?.archivePath], [
    1,
    "replaced",
    undefined,
  ]);

  // As the watcher's look at the archive.
  const look = { inboxId: house.inboxId, agesMs: [0], withinMs: 60_000, limit: 10 };
  const [found, ...others] = await archivedFiles(house.deps.sql, look);
  assert.deepEqual([found?.fileId, found?.archivePath, others], [first.fileId, path, []]);
  assert.ok(await recordGrown(house, first.fileId, path));
  const [again] = await ingestUnfinished(house);
  assert.deepEqual([again?.loaded, again?.duplicates], [1, 6]);
  assert.equal(again?.archivePath, archived(house, again!.fileId));
  assert.equal((await row(house, first.fileId)).archive_path, null);
  assert.deepEqual(await list(house.deps.directories.archive), [`a.${again?.fileId}.csv`]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("archivedFiles() gives those that came to an age lately, each once", async () => {
  await using house = await warehouse();
  const { fileId } = await ingest(house, await house.land("a.csv", TEXT));
  const found = async (settledSecondsAgo: number, agesMs: number[]) => {
    await house.admin`
      update ingest.files set settled_at = now() - ${settledSecondsAgo} * interval '1 second'`;
    const look = { inboxId: house.inboxId, agesMs, withinMs: 10_000, limit: 10 };
    return (await archivedFiles(house.deps.sql, look)).map((file) => file.fileId);
  };
  assert.deepEqual(await found(59, [0, 60_000]), []);
  assert.deepEqual(await found(61, [0, 60_000]), [fileId]);
  assert.deepEqual(await found(69, [0, 60_000, 62_000]), [fileId]);
  assert.deepEqual(await found(71, [0, 60_000]), []);
  assert.deepEqual(await found(1, [0, 60_000]), [fileId]);
});

Deno.test("settleFile() of a retry that somebody edits meanwhile lets it be retried again", async () => {
  await using house = await warehouse();
  const before = await endAs(house, await house.job(await house.land("a.csv", TEXT)), "failed");
  const path = before.archivePath!;
  const fileId = await claimRetry(house, before);
  const edited = csv(events(0, 9));
  house.deps.hooks = { beforeMove: () => Deno.writeTextFile(path, edited) };
  const [result] = await ingestUnfinished(house);
  delete house.deps.hooks;
  assert.deepEqual([result?.fileId, result?.errorCode], [fileId, "replaced"]);
  assert.equal((await row(house, before.fileId)).archive_path, path);
  assert.equal(await Deno.readTextFile(path), edited);
});

for (const state of ["loaded", "failed"] as const) {
  for (const moment of ["", ", also after a crash between the renames"]) {
    Deno.test(`settleFile() finds a name beside that of an older database's file, ${state}${moment}`, async () => {
      await using house = await warehouse();
      const { archive, failed } = house.deps.directories;
      const folder = state === "loaded" ? archive : failed;
      for (const name of ["a.1.csv", "a.1.2.csv"]) {
        await Deno.writeTextFile(`${folder}/${name}`, "older");
      }
      const text = state === "loaded" ? TEXT : "no,header\n1,2\n";
      const job = await house.job(await house.land("a.csv", text));
      if (moment !== "") {
        house.deps.hooks = { beforeMove: crash };
        await assert.rejects(house.run("ingestSmallFile", job, job.input), /crash/);
        delete house.deps.hooks;
        const { path } = job.input.identity;
        await Deno.rename(path, settlingPath(path, 1));
      }
      const result = await ingest(house, job);
      assert.deepEqual([result.state, result.archivePath], [state, `${folder}/a.1.3.csv`]);
      assert.equal(await Deno.readTextFile(`${folder}/a.1.3.csv`), text);
      assert.equal(await Deno.readTextFile(`${folder}/a.1.csv`), "older");
      assert.deepEqual(await list(folder), ["a.1.2.csv", "a.1.3.csv", "a.1.csv"]);
      assert.deepEqual(await list(house.inbox), []);
      assert.equal((await row(house, 1)).archive_path, `${folder}/a.1.3.csv`);
    });
  }
}

Deno.test("settleFile() of an unload knows bytes that somebody edited in the archive", async () => {
  await using house = await warehouse();
  const { fileId, archivePath } = await ingest(house, await house.land("a.csv", TEXT));
  await Deno.writeTextFile(`${archivePath}.new`, "edited");
  await Deno.rename(`${archivePath}.new`, archivePath!);
  const result = await unload(house, fileId);
  assert.deepEqual([result.state, result.errorCode, result.archivePath], [
    "unloaded",
    undefined,
    archivePath,
  ]);
});

Deno.test({
  name: "settleFile() says that it is alive while it copies to another device",
  ignore: !(await isOtherDevice(OTHER_DEVICE)),
  fn: async () => {
    const archive = await Deno.makeTempDir({ dir: OTHER_DEVICE });
    try {
      await using house = await warehouse();
      house.deps.directories.archive = archive;
      const { claimed } = await loaded(house);
      const environment = new MockActivityEnvironment();
      const beats: unknown[] = [];
      environment.on("heartbeat", (beat) => beats.push(beat));
      const { settleFile } = createActivities(house.deps);
      assertArchived(house, await environment.run(settleFile, claimed), claimed.fileId);
      assert.deepEqual(beats, [{ fileId: claimed.fileId, bytesMoved: TEXT.length }]);
      assert.deepEqual(await list(archive), ["a.1.csv"]);
      assert.deepEqual(await list(house.inbox), []);
    } finally {
      await Deno.remove(archive, { recursive: true });
    }
  },
});

async function isOtherDevice(path: string): Promise<boolean> {
  await using folder = await tempDir();
  const [here, there] = await Promise.all([
    Deno.stat(folder.path),
    Deno.stat(path).catch(() => null),
  ]);
  return there !== null && here.dev !== there.dev;
}

/** As the watcher does once a file in the archive has grown and is quiet. */
async function recordGrown(house: Warehouse, fileId: number, path: string): Promise<boolean> {
  const { workflowId, input: { identity } } = await house.job(path);
  return await recordGrownFile(house.deps.sql, fileId, { identity, workflowId, closedAt: null });
}

/** Makes the row of a retry, claimed by its workflow. */
async function claimRetry(house: Warehouse, before: IngestFileResult): Promise<number> {
  const retry = await house.job(before.archivePath!);
  const { fileId } = await claim(house, retry);
  await house.admin`
    update ingest.files set retry_of = ${before.fileId}, file_name = 'a.csv' where file_id = ${fileId}`;
  return fileId;
}

function rowsOf(text: string): string {
  return text.slice(text.indexOf("\n") + 1);
}

async function loaded(house: Warehouse): Promise<{ job: Job; claimed: Claim }> {
  const job = await house.job(await house.land("a.csv", TEXT));
  const claimed = await claim(house, job);
  await house.run("loadSpan", job, { claim: claimed, firstChunk: 0, endChunk: claimed.chunks });
  return { job, claimed };
}

async function endAs(house: Warehouse, job: Job, state: string): Promise<IngestFileResult> {
  if (state === "duplicate") await ingest(house, await house.land("z.csv", TEXT));
  if (state === "duplicate" || state === "unloaded") {
    const result = await ingest(house, job);
    return state === "duplicate" ? result : await unload(house, result.fileId);
  }
  const { fileId } = await claim(house, job);
  const unloadTo = state === "failed" ? "failed" : "cancelled";
  await abandonFile(house.deps.sql, { fileId, unloadTo });
  return await finish(house, job, { next: "settle", fileId });
}

function crash(): Promise<never> {
  return Promise.reject(new Error("crash"));
}

function archived({ deps: { directories } }: Warehouse, fileId: number): string {
  return `${directories.archive}/a.${fileId}.csv`;
}

function assertArchived(house: Warehouse, result: IngestFileResult, fileId: number): void {
  assert.deepEqual(
    [result.fileId, result.state, result.records, result.loaded, result.errorCode],
    [fileId, "loaded", 5, 5, undefined],
  );
  assert.equal(result.archivePath, archived(house, fileId));
}

async function row({ admin }: Warehouse, fileId: number) {
  const [found] = await admin<
    { state: string; epoch: number; settled_at: Date | null; archive_path: string | null }[]
  >`
    select state, epoch, settled_at, archive_path from ingest.files where file_id = ${fileId}`;
  assert.ok(found);
  return found;
}

async function list(directory: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  return entries.map(({ name }) => name).toSorted();
}
