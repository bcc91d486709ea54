import { WorkflowFailedError } from "@temporalio/client";
import type { ActivityDeps } from "../../activities/create_activities.ts";
import { startGenerator } from "../../domain/generator_change.ts";
import { SPANS_PER_RUN, taskQueue } from "../../domain/ingest_api.ts";
import {
  changeUpdate,
  generateEvents,
  pauseUpdate,
  resumeUpdate,
  statusQuery,
  stopUpdate,
} from "../../workflows/generate_events.ts";
import { tcpProxy } from "../activities/_tcp_proxy.ts";
import { eventLines } from "../event_lines.ts";
import {
  type FaultPipeline,
  faultPipeline,
  type IngestHandle,
  type IngestOptions,
} from "../faults/_fault_pipeline.ts";
import { pendingFailures } from "../faults/_pending_failures.ts";
import { waitFor } from "../harness.ts";
import type { History } from "./_render_history.ts";

/** A history, and the directory whose files it is about. */
interface Recording {
  history: History;
  folder: string;
}

const ROWS = 200;
const chunkBytes = 4 * 1024;
const SPAN_BY_SPAN: IngestOptions = { shortWay: false, settings: { chunksPerSpan: 2 } };

/** What is recorded, by name of the file. */
export const RECORDINGS: Record<string, () => Promise<Recording>> = {
  ingest_short_way: () => ingest({ text: eventLines({ seed: 1, rows: ROWS }) }),
  ingest_long_way: () =>
    ingest({ text: eventLines({ seed: 2, rows: ROWS }), options: SPAN_BY_SPAN }),
  ingest_no_header: () => ingest({ text: "name,born\nAda,1815\n" }),
  ingest_no_header_long_way: () => ingest({ text: "name,born\n", options: SPAN_BY_SPAN }),
  ingest_changed: () =>
    ingest({
      text: eventLines({ seed: 3, rows: ROWS }),
      options: SPAN_BY_SPAN,
      hooks: ({ inbox }) => ({
        beforeChunk: async (_fileId, chunkNo) => {
          if (chunkNo === 5) {
            await Deno.writeTextFile(`${inbox}/events.csv`, "\n", { append: true });
          }
        },
      }),
    }),
  ingest_cancelled: () => {
    const stopped = Promise.withResolvers<void>();
    return ingest({
      text: eventLines({ seed: 4, rows: ROWS }),
      options: SPAN_BY_SPAN,
      hooks: () => ({
        beforeChunk: async (_fileId, chunkNo) => {
          if (chunkNo >= 4) await stopped.promise;
        },
      }),
      async during(handle, { sql }) {
        await waitFor(
          async () =>
            (await sql`select from ingest.chunks where committed_at is not null`).length > 2,
          {
            what: "some chunks to be committed",
          },
        );
        await handle.cancel();
        stopped.resolve();
      },
    });
  },
  ingest_outage: ingestDuringOutage,
  ingest_continued: ingestContinued,
  generate_events: generate,
};

async function ingest(
  { text, options, hooks, during }: {
    text: string;
    options?: IngestOptions;
    hooks?: (pipeline: FaultPipeline) => NonNullable<ActivityDeps["hooks"]>;
    during?: (handle: IngestHandle, pipeline: FaultPipeline) => Promise<void>;
  },
): Promise<Recording> {
  await using pipeline = await faultPipeline({ chunkBytes });
  await Deno.writeTextFile(`${pipeline.inbox}/events.csv`, text);
  await pipeline.runWorker(hooks?.(pipeline));
  const handle = await pipeline.ingest("events.csv", options);
  await during?.(handle, pipeline);
  await handle.result().catch(expectFailure);
  return await recordingOf(handle, pipeline);
}

/** The short way fails, and the ordinary activity is tried until PostgreSQL is back. */
async function ingestDuringOutage(): Promise<Recording> {
  await using pipeline = await faultPipeline({ chunkBytes });
  await using proxy = await tcpProxy(pipeline.databaseUrl);
  await Deno.writeTextFile(`${pipeline.inbox}/events.csv`, eventLines({ seed: 5, rows: ROWS }));
  await pipeline.runWorker({}, { databaseUrl: proxy.url });
  await proxy.refuse();
  const handle = await pipeline.ingest("events.csv");
  await waitFor(async () => (await pendingFailures(handle)).length > 0, { what: "a retry" });
  await proxy.listen();
  await handle.result();
  return await recordingOf(handle, pipeline);
}

/** The second run, which goes on where the first one stopped. */
async function ingestContinued(): Promise<Recording> {
  await using pipeline = await faultPipeline({ chunkBytes: 64 });
  const text = eventLines({ seed: 6, rows: SPANS_PER_RUN + 20 });
  await Deno.writeTextFile(`${pipeline.inbox}/events.csv`, text);
  await pipeline.runWorker();
  const handle = await pipeline.ingest("events.csv", {
    shortWay: false,
    settings: { chunksPerSpan: 1 },
  });
  await handle.result();
  // Without the run that it was started with, the handle means the last one.
  return await recordingOf(pipeline.client.workflow.getHandle(handle.workflowId), pipeline);
}

async function generate(): Promise<Recording> {
  await using pipeline = await faultPipeline();
  await pipeline.runWorker();
  const handle = await pipeline.client.workflow.start(generateEvents, {
    workflowId: `generate/${pipeline.inboxId}`,
    taskQueue: taskQueue(pipeline.inboxId),
    args: [startGenerator({
      directory: pipeline.inbox,
      truthDirectory: `${pipeline.inbox}-truth`,
      seed: 7,
      profile: "rees46",
      eventsPerSecond: 20,
      interval: { minMs: 20, maxMs: 40 },
      from: Date.UTC(2026, 0, 5, 12),
    })],
  });
  const landed = (files: number) =>
    waitFor(async () => (await handle.query(statusQuery)).filesLanded >= files, {
      what: `${files} files`,
    });
  await landed(2);
  await handle.executeUpdate(pauseUpdate);
  await handle.executeUpdate(pauseUpdate).catch(() => {});
  await handle.executeUpdate(changeUpdate, { args: [{ eventsPerSecond: 40 }] });
  await handle.executeUpdate(resumeUpdate);
  await handle.executeUpdate(changeUpdate, {
    args: [{ interval: { minMs: 10, maxMs: 10 } }],
  });
  await landed(5);
  await handle.executeUpdate(stopUpdate);
  await handle.result();
  return await recordingOf(handle, pipeline);
}

async function recordingOf(
  handle: { fetchHistory(): Promise<History> },
  { inbox }: FaultPipeline,
): Promise<Recording> {
  return { history: await handle.fetchHistory(), folder: inbox.replace(/\/inbox$/, "") };
}

function expectFailure(error: unknown): void {
  if (!(error instanceof WorkflowFailedError)) throw error;
}
