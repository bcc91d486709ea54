import assert from "node:assert/strict";
import { eventLines } from "../event_lines.ts";
import { tempDir, type TestDatabase, testDatabase, waitFor } from "../harness.ts";
import { faultPipeline } from "./_fault_pipeline.ts";
import { pendingFailures } from "./_pending_failures.ts";
import { listNames } from "./_planted_files.ts";

const ROWS = 1_000;

Deno.test({
  name:
    "Disk of the archive full → rows are there, the file waits where it was, then it is moved whole",
  ignore: !canMount(),
  async fn() {
    await using pipeline = await faultPipeline();
    const { inbox, archive } = pipeline;
    // Another device as well: the move is a copy.
    mount(archive, "256k");
    try {
      await Deno.writeFile(`${archive}/ballast`, new Uint8Array(200 * 1024));
      const text = eventLines({ seed: 91, rows: ROWS });
      await Deno.writeTextFile(`${inbox}/events.csv`, text);
      await pipeline.runWorker();
      const handle = await pipeline.ingest("events.csv");
      await waitFor(
        async () => (await pendingFailures(handle)).some((text) => /ENOSPC/.test(text)),
        {
          what: "a pending activity that says that the disk is full",
        },
      );
      const [file] = await pipeline.sql`
        select state, loaded::integer, settled_at from ingest.files`;
      assert.deepEqual(file, { state: "loaded", loaded: ROWS, settled_at: null });
      const visible = (await listNames(archive)).filter((name) => !name.startsWith("."));
      assert.deepEqual(visible, ["ballast"]);

      await Deno.remove(`${archive}/ballast`);
      const { archivePath } = await handle.result();
      assert.equal(await Deno.readTextFile(archivePath ?? ""), text);
      assert.deepEqual(await listNames(archive), [archivePath?.slice(archive.length + 1)]);
      assert.deepEqual(await listNames(inbox), []);
      assert.deepEqual(await pipeline.verify(), []);
    } finally {
      unmount(archive);
    }
  },
});

Deno.test({
  name: "Disk of the database full → the file waits, says why, and loads once",
  ignore: !canMount(),
  async fn() {
    await using folder = await tempDir();
    const disk = `${folder.path}/disk`;
    await Deno.mkdir(disk);
    mount(disk, "64m");
    try {
      await using other = await testDatabase();
      await using space = await tablespace(other, disk);
      await using database = await testDatabase();
      await space.take(database);
      await using pipeline = await faultPipeline({ database });
      fill(disk);
      await Deno.writeTextFile(
        `${pipeline.inbox}/events.csv`,
        eventLines({ seed: 92, rows: 8 * ROWS }),
      );
      await pipeline.runWorker();
      const handle = await pipeline.ingest("events.csv", { shortWay: false });
      // disk_full
      await waitFor(
        async () => (await pendingFailures(handle)).some((text) => /53100/.test(text)),
        {
          what: "a pending activity that says that the disk is full",
        },
      );
      await Deno.remove(`${disk}/ballast`);
      const { state, loaded } = await handle.result();
      assert.deepEqual([state, loaded], ["loaded", 8 * ROWS]);
      assert.deepEqual(await pipeline.verify(), []);
    } finally {
      unmount(disk);
    }
  },
});

/** A place for databases on a disk of its own. */
async function tablespace(
  { sql }: TestDatabase,
  disk: string,
): Promise<AsyncDisposable & { take(database: TestDatabase): Promise<void> }> {
  const name = `space_${crypto.randomUUID().replaceAll("-", "")}`;
  const [server] = await sql`show data_directory`;
  const { uid, gid } = await Deno.stat(server?.data_directory);
  await Deno.chown(disk, uid, gid);
  await sql.unsafe(`create tablespace ${name} location '${disk}'`);
  return {
    async take({ url }) {
      const database = new URL(url).pathname.slice(1);
      await sql.unsafe(`alter database ${database} set tablespace ${name}`);
    },
    async [Symbol.asyncDispose]() {
      await sql.unsafe(`drop tablespace ${name}`);
    },
  };
}

/** Takes all that is left but a few pages. */
function fill(disk: string): void {
  using file = Deno.openSync(`${disk}/ballast`, { write: true, create: true });
  const block = new Uint8Array(16 * 1024);
  try {
    for (;;) file.writeSync(block);
  } catch (error) {
    assert.equal(error instanceof Error && "code" in error && error.code, "ENOSPC");
  }
}

/** Only where this process has the right, as root in most containers has not. */
function canMount(): boolean {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const directory = Deno.makeTempDirSync({ prefix: "clickledger-mount-" });
  try {
    mount(directory, "256k");
    unmount(directory);
    return true;
  } catch {
    return false;
  } finally {
    Deno.removeSync(directory);
  }
}

function mount(directory: string, size: string): void {
  run("mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", directory);
}

function unmount(directory: string): void {
  run("umount", directory);
}

function run(program: string, ...args: string[]): void {
  const { success } = new Deno.Command(program, { args, stderr: "null" }).outputSync();
  if (!success) throw new Error(`Cannot run ${program} ${args.join(" ")}`);
}
