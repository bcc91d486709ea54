import assert from "node:assert/strict";
import { csv, event } from "../activities/_events.ts";
import { eventLines } from "../event_lines.ts";
import { faultPipeline } from "../faults/_fault_pipeline.ts";
import { projectPath, waitFor } from "../harness.ts";

Deno.test("the queries of README find what they say", async () => {
  const readme = await Deno.readTextFile(projectPath("README.md"));
  const queries = readme.split("\n").filter((line) =>
    line.startsWith('WorkflowType="ingestFile" AND')
  );
  assert.equal(queries.length, 4);
  const held = Promise.withResolvers<void>();
  await using pipeline = await faultPipeline({ chunkBytes: 4 * 1024 });
  await pipeline.runWorker({
    beforeChunk: (_fileId, chunkNo) => chunkNo > 1 ? held.promise : Promise.resolve(),
  });
  const land = (name: string, text: string) =>
    Deno.writeTextFile(`${pipeline.inbox}/${name}`, text);
  await land("failed.csv", "a,b\n1,2\n");
  await land("rejects.csv", csv([event(1), event(2, { price: "x" })]));
  await land("slow.csv", eventLines({ seed: 5, rows: 200 }));
  await (await pipeline.ingest("failed.csv")).result().catch(() => {});
  await (await pipeline.ingest("rejects.csv")).result();
  const slow = await pipeline.ingest("slow.csv", {
    shortWay: false,
    settings: { chunksPerSpan: 2 },
  });
  await waitFor(
    async () =>
      (await pipeline.sql`select from ingest.chunks where committed_at is not null`).length > 2,
    {
      what: "chunks",
    },
  );
  await slow.executeUpdate("pause");

  // The server lists what happened a moment later; queries are of the whole server, so by inbox here.
  const names = async (query: string) => {
    const own = query.replace(/StartTime > ".*"/, 'StartTime > "2026-01-01T00:00:00Z"')
      .replace('ExecutionDuration > "10s"', 'ExecutionDuration > "1ms"');
    const found = pipeline.client.workflow.list({
      query: `${own} AND TaskQueue="clickledger-${pipeline.inboxId}"`,
    });
    const ids = (await Array.fromAsync(found)).map(({ workflowId }) => workflowId.split("/")[2]);
    return ids.toSorted().join();
  };
  const [failed, rejects, long, paused] = queries as [string, string, string, string];
  await expect(() => names(failed), "failed.csv");
  await expect(() => names(rejects), "rejects.csv");
  held.resolve();
  await expect(() => names(paused), "slow.csv");
  await slow.executeUpdate("resume");
  await slow.result();
  await expect(() => names(long), "failed.csv,rejects.csv,slow.csv");
  await expect(() => names(paused), "");
});

async function expect(ask: () => Promise<string>, names: string): Promise<void> {
  await waitFor(async () => await ask() === names, {
    what: `the server to list ${names}`,
    timeoutMs: 20_000,
  });
}
