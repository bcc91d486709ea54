import assert from "node:assert/strict";
import { eventLines } from "../event_lines.ts";
import { waitFor } from "../harness.ts";
import { faultPipeline } from "./_fault_pipeline.ts";
import { pendingFailures } from "./_pending_failures.ts";
import { listNames } from "./_planted_files.ts";

const ROWS = 1_000;
const DISK = "256k";

Deno.test({
  name:
    "Disk of the archive full → rows are there, the file waits where it was, then it is moved whole",
  ignore: !canMount(),
  async fn() {
    await using pipeline = await faultPipeline();
    const { inbox, archive } = pipeline;
    // Another device as well: the move is a copy.
    mount(archive);
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

/** Only where this process has the right, as root in most containers has not. */
function canMount(): boolean {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const directory = Deno.makeTempDirSync({ prefix: "clickledger-mount-" });
  try {
    mount(directory);
    unmount(directory);
    return true;
  } catch {
    return false;
  } finally {
    Deno.removeSync(directory);
  }
}

function mount(directory: string): void {
  run("mount", "-t", "tmpfs", "-o", `size=${DISK}`, "tmpfs", directory);
}

function unmount(directory: string): void {
  run("umount", directory);
}

function run(program: string, ...args: string[]): void {
  const { success } = new Deno.Command(program, { args, stderr: "null" }).outputSync();
  if (!success) throw new Error(`Cannot run ${program} ${args.join(" ")}`);
}
