import assert from "node:assert/strict";
import { eventLines } from "../event_lines.ts";
import { waitFor } from "../harness.ts";
import { faultPipeline } from "./_fault_pipeline.ts";
import { canMount, mountDisk } from "./_mounts.ts";
import { pendingFailures } from "./_pending_failures.ts";
import { listNames } from "./_planted_files.ts";

const ROWS = 100;

for (const shortWay of [true, false]) {
  const way = shortWay ? "short way" : "long way";
  Deno.test({
    name: `Archive mounted read-only, ${way} → rows are there, the file waits, then it is moved`,
    ignore: !canMount(),
    async fn() {
      await using pipeline = await faultPipeline();
      const { inbox, archive } = pipeline;
      using disk = mountDisk(archive, "1m");
      disk.remount("ro");
      const text = eventLines({ seed: 96, rows: ROWS });
      await Deno.writeTextFile(`${inbox}/events.csv`, text);
      await pipeline.runWorker();
      const handle = await pipeline.ingest("events.csv", { shortWay });
      await waitFor(
        async () => (await pendingFailures(handle)).some((text) => /EROFS/.test(text)),
        { what: "a pending activity that says that the archive is read-only" },
      );
      const [file] = await pipeline.sql`
        select state, loaded::integer, settled_at from ingest.files`;
      assert.deepEqual(file, { state: "loaded", loaded: ROWS, settled_at: null });

      disk.remount("rw");
      const { archivePath } = await handle.result();
      assert.equal(await Deno.readTextFile(archivePath ?? ""), text);
      assert.deepEqual(await listNames(archive), [archivePath?.slice(archive.length + 1)]);
      assert.deepEqual(await listNames(inbox), []);
      assert.deepEqual(await pipeline.verify(), []);
    },
  });
}
