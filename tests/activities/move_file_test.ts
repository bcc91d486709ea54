import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { readIdentity } from "../../activities/file_identity.ts";
import { moveFile, settlingPath } from "../../activities/move_file.ts";
import { openVersion } from "../../activities/open_version.ts";
import type { FileIdentity } from "../../domain/ingest_api.ts";
import { tempDir } from "../harness.ts";

const FILE_ID = 7;

inFolders(
  "moveFile() moves the version that was read",
  async ({ path, identity, target, names }) => {
    assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "moved");
    assert.deepEqual(await names(), { inbox: [], archive: ["a.7.csv"] });
    assert.equal(await Deno.readTextFile(target), "old");
    assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "moved");
    assert.equal(await readIdentity(path), null);
  },
);

inFolders("moveFile() goes on after a crash between its renames", async (folders) => {
  const { path, identity, target, names } = folders;
  await Deno.rename(path, settlingPath(path, FILE_ID));
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "moved");
  assert.deepEqual(await names(), { inbox: [], archive: ["a.7.csv"] });
});

inFolders("moveFile() leaves another version under its name", async (folders) => {
  const { path, identity, target, names } = folders;
  await replace(path);
  const newer = await readIdentity(path);
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "replaced");
  assert.deepEqual(await names(), { inbox: ["a.csv"], archive: [] });
  assert.deepEqual(await readIdentity(path), newer);
});

inFolders(
  "moveFile() takes a version that grew through an open handle for another",
  async (folders) => {
    const { path, identity, target, names } = folders;
    await Deno.writeTextFile(path, "more", { append: true });
    assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "replaced");
    assert.deepEqual(await names(), { inbox: ["a.csv"], archive: [] });
  },
);

inFolders("moveFile() gives back another version that it caught", async (folders) => {
  const { path, identity, target, names } = folders;
  await replace(path);
  await Deno.rename(path, settlingPath(path, FILE_ID));
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "replaced");
  assert.deepEqual(await names(), { inbox: ["a.csv"], archive: [] });
  assert.equal(await Deno.readTextFile(path), "new");
});

inFolders("moveFile() gives back under another name when its own is taken", async (folders) => {
  const { path, identity, target, names } = folders;
  await replace(path);
  await Deno.rename(path, settlingPath(path, FILE_ID));
  await Deno.writeTextFile(path, "newest");
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "replaced");
  assert.deepEqual(await names(), { inbox: ["a.csv", "a~7.csv"], archive: [] });
  assert.equal(await Deno.readTextFile(path), "newest");
  assert.equal(await Deno.readTextFile(path.replace("a.csv", "a~7.csv")), "new");
});

inFolders("moveFile() goes on after a crash while it gave back", async (folders) => {
  const { path, identity, target, names } = folders;
  await replace(path);
  await Deno.link(path, settlingPath(path, FILE_ID));
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "replaced");
  assert.deepEqual(await names(), { inbox: ["a.csv"], archive: [] });
  assert.equal(await Deno.readTextFile(path), "new");
});

inFolders("moveFile() says that somebody removed the file", async (folders) => {
  const { path, identity, target, names } = folders;
  await Deno.remove(path);
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "missing");
  assert.deepEqual(await names(), { inbox: [], archive: [] });
});

inFolders("moveFile() finds the file wherever an attempt beside it has it", async (folders) => {
  const { path, identity, target, names } = folders;
  for (let round = 0; round < 30; round++) {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 3 }, () => moveFile({ fileId: FILE_ID, identity, target })),
    );
    for (const outcome of outcomes) {
      // The loser of the last rename is tried again.
      if (outcome.status === "fulfilled") assert.equal(outcome.value, "moved");
      else assert.equal(outcome.reason.code, "ENOENT");
    }
    assert.deepEqual(await names(), { inbox: [], archive: ["a.7.csv"] });
    await Deno.rename(target, path);
  }
});

for (const state of ["missing", "a file"]) {
  inFolders(`moveFile() keeps the bytes while the archive is ${state}`, async (folders) => {
    const { path, identity, names } = folders;
    const archive = `${path}.archive`;
    if (state === "a file") await Deno.writeTextFile(archive, "");
    await assert.rejects(moveFile({ fileId: FILE_ID, identity, target: `${archive}/a.7.csv` }));
    assert.equal((await names()).inbox.filter(isVersion).length, 1);
    // Once it is back, the next attempt ends it.
    assert.equal(await moveFile({ fileId: FILE_ID, identity, target: folders.target }), "moved");
    assert.deepEqual((await names()).inbox.filter(isVersion), []);
    assert.deepEqual((await names()).archive, ["a.7.csv"]);
  });
}

function isVersion(name: string): boolean {
  return name === "a.csv" || name === ".settling-7";
}

const OTHER_DEVICE = "/dev/shm";
const hasOtherDevice = await isOtherDevice();

otherDevice(
  "moveFile() copies to an archive on another device",
  async ({ identity, archive, left }) => {
    const target = `${archive}/a.7.csv`;
    assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "moved");
    assert.equal(await Deno.readTextFile(target), "old");
    assert.deepEqual(await left(), { inbox: [], archive: ["a.7.csv"] });
    const opened = await openVersion({ fileId: FILE_ID, identity, archivePath: target });
    assert.ok("handle" in opened, "the copy is the version that was read");
    await opened.handle.close();
  },
);

otherDevice(
  "moveFile() goes on after a crash within the copy",
  async ({ identity, archive, left }) => {
    const target = `${archive}/a.7.csv`;
    await Deno.rename(identity.path, settlingPath(identity.path, FILE_ID));
    await Deno.writeTextFile(`${archive}/.a.7.csv.part`, "hal");
    assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "moved");
    assert.equal(await Deno.readTextFile(target), "old");
    assert.deepEqual(await left(), { inbox: [], archive: ["a.7.csv"] });
  },
);

otherDevice(
  "moveFile() goes on after a crash behind the copy",
  async ({ identity, archive, left }) => {
    const target = `${archive}/a.7.csv`;
    await Deno.rename(identity.path, settlingPath(identity.path, FILE_ID));
    await Deno.copyFile(settlingPath(identity.path, FILE_ID), target);
    assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "moved");
    assert.deepEqual(await left(), { inbox: [], archive: ["a.7.csv"] });
  },
);

interface Folders {
  path: string;
  identity: FileIdentity;
  target: string;
  names(): Promise<{ inbox: string[]; archive: string[] }>;
}

function inFolders(name: string, body: (folders: Folders) => Promise<void>): void {
  Deno.test(name, async () => {
    await using folder = await tempDir();
    const [inbox, archive] = [`${folder.path}/inbox`, `${folder.path}/archive`];
    for (const path of [inbox, archive]) await Deno.mkdir(path);
    const path = `${inbox}/a.csv`;
    await body({
      path,
      identity: await landOld(path),
      target: `${archive}/a.${FILE_ID}.csv`,
      names: async () => ({ inbox: await list(inbox), archive: await list(archive) }),
    });
  });
}

interface DistantFolders {
  identity: FileIdentity;
  archive: string;
  left(): Promise<{ inbox: string[]; archive: string[] }>;
}

function otherDevice(name: string, body: (folders: DistantFolders) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !hasOtherDevice,
    fn: async () => {
      await using folder = await tempDir();
      const archive = await Deno.makeTempDir({ dir: OTHER_DEVICE });
      try {
        await body({
          identity: await landOld(`${folder.path}/a.csv`),
          archive,
          left: async () => ({ inbox: await list(folder.path), archive: await list(archive) }),
        });
      } finally {
        await Deno.remove(archive, { recursive: true });
      }
    },
  });
}

async function landOld(path: string): Promise<FileIdentity> {
  await Deno.writeTextFile(path, "old");
  const seen = await readIdentity(path);
  assert.ok(seen);
  return seen.identity;
}

/** Renames another version over a path. */
async function replace(path: string): Promise<void> {
  const other = path.replace(basename(path), ".new");
  await Deno.writeTextFile(other, "new");
  await Deno.rename(other, path);
}

async function list(directory: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  return entries.map(({ name }) => name).toSorted();
}

async function isOtherDevice(): Promise<boolean> {
  try {
    const temporary = await Deno.makeTempDir();
    const [here, there] = await Promise.all([stat(temporary), stat(OTHER_DEVICE)]);
    await Deno.remove(temporary);
    return here.dev !== there.dev;
  } catch {
    return false;
  }
}
