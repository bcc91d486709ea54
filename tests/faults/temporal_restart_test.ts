import { waitFor } from "../harness.ts";
import { type FaultPipeline, faultPipeline } from "./_fault_pipeline.ts";
import { ownTemporal } from "./_own_services.ts";
import { assertPlanted, plantFiles } from "./_planted_files.ts";

Deno.test("Temporal killed -9 and started again while files flow → each file loads once", async () => {
  await using server = await ownTemporal();
  await using pipeline = await faultPipeline({
    chunkBytes: 16 * 1024,
    temporalAddress: server.address,
  });
  const planted = await plantFiles(pipeline.inbox, { files: 12, rows: 1_000, seed: 12 });
  for (const [index, name] of planted.names.entries()) {
    await pipeline.ingest(name, { shortWay: index % 2 === 0 });
  }
  await pipeline.startWorker();

  for (const settled of [1, planted.names.length / 2]) {
    await waitFor(async () => (await settledFiles(pipeline)) >= settled, {
      what: `${settled} files to be settled`,
      timeoutMs: 30_000,
    });
    await server.end("SIGKILL");
    await server.start();
  }

  await waitFor(async () => (await settledFiles(pipeline)) === planted.names.length, {
    what: "all files to be settled",
    timeoutMs: 60_000,
  });
  await assertPlanted(pipeline, planted);
});

async function settledFiles({ sql }: FaultPipeline): Promise<number> {
  const [row] = await sql<{ settled: number }[]>`
    select count(settled_at)::integer as settled from ingest.files`;
  return row?.settled ?? 0;
}
