import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { readIdentity } from "../../activities/file_identity.ts";
import { type Move, moveFile, settlingPath } from "../../activities/move_file.ts";
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
  using movers = startMovers(3);
  for (let round = 0; round < 200; round++) {
    for (const outcome of await movers.move({ fileId: FILE_ID, identity, target })) {
      // The loser of the last rename is tried again.
      assert.match(outcome, /^(moved|ENOENT)$/);
    }
    assert.deepEqual(await names(), { inbox: [], archive: ["a.7.csv"] });
    await Deno.rename(target, path);
  }
});

/** Attempts in threads of their own, as in processes: what one does at once, others come between. */
function startMovers(count: number): Disposable & { move(move: Move): Promise<string[]> } {
  const threads = Array.from(
    { length: count },
    () => new Worker(import.meta.resolve("./_mover.ts"), { type: "module" }),
  );
  return {
    move: (move) => {
      const waiting = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)).fill(
        count,
      );
      return Promise.all(threads.map((thread) => {
        const { promise, resolve, reject } = Promise.withResolvers<string>();
        thread.onmessage = ({ data }) => resolve(data);
        thread.onerror = ({ message }) => reject(new Error(message));
        thread.postMessage({ move, waiting });
        return promise;
      }));
    },
    [Symbol.dispose]: () => threads.forEach((thread) => thread.terminate()),
  };
}

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

inFolders("moveFile() leaves another file that has the target's name", async (folders) => {
  const { path, identity, target, names } = folders;
  await Deno.writeTextFile(target, "foreign");
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "taken");
  assert.deepEqual(await names(), { inbox: ["a.csv"], archive: ["a.7.csv"] });
  // The same after a crash between the renames: the only bytes stay.
  await Deno.rename(path, settlingPath(path, FILE_ID));
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "taken");
  assert.deepEqual(await names(), { inbox: [".settling-7"], archive: ["a.7.csv"] });
  assert.equal(await Deno.readTextFile(settlingPath(path, FILE_ID)), "old");
  assert.equal(await Deno.readTextFile(target), "foreign");
});

for (const name of ["a.csv", ".settling-7"]) {
  inFolders(`moveFile() tells a file of the same size and time from ${name}`, async (folders) => {
    const { path, identity, target, names } = folders;
    await Deno.writeTextFile(target, "odd");
    await withTimeOf(identity, target);
    if (name !== "a.csv") await Deno.rename(path, settlingPath(path, FILE_ID));
    assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "taken");
    assert.deepEqual(await names(), { inbox: [name], archive: ["a.7.csv"] });
  });
}

inFolders("moveFile() knows a file that grew after it was moved", async (folders) => {
  const { identity, target, names } = folders;
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "moved");
  await Deno.writeTextFile(target, "more", { append: true });
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "moved");
  assert.deepEqual(await names(), { inbox: [], archive: ["a.7.csv"] });
});

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

otherDevice("moveFile() removes what a crash within a copy left", async (folders) => {
  const { identity, archive, left } = folders;
  const target = `${archive}/a.7.csv`;
  await Deno.rename(identity.path, settlingPath(identity.path, FILE_ID));
  await Deno.mkdir(`${archive}/.a.7.csv.part`);
  await Deno.writeTextFile(`${archive}/.a.7.csv.part/1`, "hal");
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "moved");
  assert.equal(await Deno.readTextFile(target), "old");
  assert.deepEqual(await left(), { inbox: [], archive: ["a.7.csv"] });
});

otherDevice("moveFile() goes on after a crash behind the copy", async (folders) => {
  const { identity, archive, left } = folders;
  const target = `${archive}/a.7.csv`;
  await Deno.rename(identity.path, settlingPath(identity.path, FILE_ID));
  await Deno.copyFile(settlingPath(identity.path, FILE_ID), target);
  await withTimeOf(identity, target);
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "moved");
  assert.deepEqual(await left(), { inbox: [], archive: ["a.7.csv"] });
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "moved");
});

otherDevice("moveFile() gives back what grew after a crash behind the copy", async (folders) => {
  const { identity, archive, left } = folders;
  const target = `${archive}/a.7.csv`;
  const settling = settlingPath(identity.path, FILE_ID);
  await Deno.rename(identity.path, settling);
  await Deno.copyFile(settling, target);
  await withTimeOf(identity, target);
  await Deno.writeTextFile(settling, "more", { append: true });
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "replaced");
  assert.deepEqual(await left(), { inbox: ["a.csv"], archive: ["a.7.csv"] });
  assert.equal(await Deno.readTextFile(identity.path), "oldmore");
});

otherDevice(
  "moveFile() leaves another file that has the name on the other device",
  async (folders) => {
    const { identity, archive, left } = folders;
    const target = `${archive}/a.7.csv`;
    await Deno.writeTextFile(target, "foreign");
    await Deno.rename(identity.path, settlingPath(identity.path, FILE_ID));
    assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "taken");
    assert.deepEqual(await left(), { inbox: [".settling-7"], archive: ["a.7.csv"] });
  },
);

const MIB = 1024 * 1024;

otherDevice("moveFile() says how far a copy has come", async ({ identity: { path }, archive }) => {
  const identity = await landLarge(path);
  const target = `${archive}/a.7.csv`;
  const progress: number[] = [];
  const onProgress = (bytesCopied: number) => void progress.push(bytesCopied);
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target, onProgress }), "moved");
  assert.deepEqual(progress, [MIB, 2 * MIB, 2 * MIB + 5]);
  assert.deepEqual(await Deno.readFile(target), largeContent());
});

otherDevice("moveFile() gives back a file that grows while it is copied", async (folders) => {
  const { identity: { path }, archive, left } = folders;
  const identity = await landLarge(path);
  const target = `${archive}/a.7.csv`;
  // As a writer that has the file open still does, whatever its name is by now.
  using writer = await Deno.open(path, { append: true });
  const onProgress = () => void writer.writeSync(new TextEncoder().encode("more"));
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target, onProgress }), "replaced");
  assert.deepEqual(await left(), { inbox: ["a.csv"], archive: [] });
  assert.equal((await stat(path)).size, 2 * MIB + 5 + 3 * "more".length);
});

otherDevice("moveFile() stops a copy on request and makes it anew", async (folders) => {
  const { identity: { path }, archive, left } = folders;
  const identity = await landLarge(path);
  const target = `${archive}/a.7.csv`;
  const onProgress = () => {
    throw new Error("stop");
  };
  await assert.rejects(moveFile({ fileId: FILE_ID, identity, target, onProgress }), /stop/);
  assert.deepEqual(await left(), { inbox: [".settling-7"], archive: [] });
  assert.equal(await moveFile({ fileId: FILE_ID, identity, target }), "moved");
  assert.deepEqual(await left(), { inbox: [], archive: ["a.7.csv"] });
});

otherDevice("moveFile() copies whole files in attempts beside each other", async (folders) => {
  const { identity: { path }, archive, left } = folders;
  const target = `${archive}/a.7.csv`;
  for (let round = 0; round < 10; round++) {
    const identity = await landLarge(path);
    const attempt = () => moveFile({ fileId: FILE_ID, identity, target });
    const outcomes = await Promise.allSettled([attempt(), attempt(), attempt()]);
    for (const outcome of outcomes) {
      // One that lost its part to another, or met it, is tried again.
      if (outcome.status === "fulfilled") assert.equal(outcome.value, "moved");
      else assert.match(outcome.reason.code, /^(ENOENT|EEXIST|ENOTEMPTY)$/);
    }
    assert.equal(await attempt(), "moved");
    assert.deepEqual(await left(), { inbox: [], archive: ["a.7.csv"] });
    assert.deepEqual(await Deno.readFile(target), largeContent());
    await Deno.remove(target);
  }
});

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

/** Lands a file of three blocks. */
async function landLarge(path: string): Promise<FileIdentity> {
  await Deno.writeFile(path, largeContent());
  const seen = await readIdentity(path);
  assert.ok(seen);
  return seen.identity;
}

function largeContent(): Uint8Array {
  return Uint8Array.from({ length: 2 * MIB + 5 }, (_, n) => n % 251);
}

async function withTimeOf({ mtimeMs }: FileIdentity, path: string): Promise<void> {
  await Deno.utime(path, new Date(), new Date(mtimeMs));
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
