import assert from "node:assert/strict";
import { waitFor } from "../harness.ts";
import { type FaultPipeline, faultPipeline, type IngestHandle } from "./_fault_pipeline.ts";
import { ownPostgres } from "./_own_services.ts";
import { pendingFailures } from "./_pending_failures.ts";
import { assertPlanted, plantFiles } from "./_planted_files.ts";

for (
  const { how, signal, slowly } of [
    { how: "restarted at once", signal: "SIGINT", slowly: false },
    { how: "killed and recovered", signal: "SIGQUIT", slowly: false },
    { how: "killed and starting up for long", signal: "SIGQUIT", slowly: true },
  ] as const
) {
  Deno.test(`PostgreSQL ${how} while files flow → files wait, say why, and load once`, async () => {
    await using server = await ownPostgres();
    const { database } = server;
    await using pipeline = await faultPipeline({ chunkBytes: 16 * 1024, database });
    const planted = await plantFiles(pipeline.inbox, { files: 8, rows: 1_000, seed: 11 });
    const handles = await Promise.all(
      planted.names.map((name, index) => pipeline.ingest(name, { shortWay: index % 2 === 0 })),
    );
    const worker = await pipeline.startWorker();
    await waitFor(() => committedChunks(pipeline), { what: "a chunk to be committed" });

    await server.end(signal);
    const recovery = slowly ? await server.startSlowly() : undefined;
    const says = slowly ? STARTING_UP : /^Cannot reach PostgreSQL/;
    const failures = await waitFor(() => findOutage(handles, says), {
      what: "a pending activity that names the outage",
    });
    for (const text of failures) {
      assert.match(text, /Cannot reach PostgreSQL|Cannot write to PostgreSQL: SQLSTATE 57P0\d/);
      assert.ok(!text.includes(new URL(database.url).password));
    }
    await (recovery?.finish() ?? server.start());

    await Promise.all(handles.map((handle) => handle.result()));
    await assertPlanted(pipeline, planted);
    worker.kill("SIGTERM");
    assert.equal((await worker.exited).code, 0, pipeline.workerLogs().slice(-5_000));
  });
}

const STARTING_UP = /^Cannot write to PostgreSQL: SQLSTATE 57P03\. The server is starting up/;

async function committedChunks({ sql }: FaultPipeline): Promise<boolean> {
  const found = await sql`select from ingest.chunks where committed_at is not null limit 1`;
  return found.length > 0;
}

/** What all pending activities say, once one says what is looked for. */
async function findOutage(
  handles: readonly IngestHandle[],
  says: RegExp,
): Promise<string[] | null> {
  const failures = (await Promise.all(handles.map(pendingFailures))).flat();
  return failures.some((text) => says.test(text)) ? failures : null;
}
