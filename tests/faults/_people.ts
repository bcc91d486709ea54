import assert from "node:assert/strict";
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from "@temporalio/client";
import { retryFile } from "../../scripts/files/retry_file.ts";
import { unloadFile } from "../../scripts/files/unload_file.ts";
import { replayFile } from "../../scripts/rejects/replay_file.ts";
import { correctReject, waiveRejects } from "../../scripts/statements/rejects.ts";
import type { IngestHandle } from "./_fault_pipeline.ts";
import { expectCorrection, withdrawCorrections } from "./_planted_files.ts";
import type { TortureParts } from "./_tortures.ts";

const MAX_PAUSED_MS = 500;

/** What people do to files while all else goes wrong. Each is over when it returns, and what must come of it is known. */
export const PEOPLE: Record<string, (parts: TortureParts) => Promise<void>> = {
  "file paused for a while": async ({ started, prng }) => {
    const handle = started[prng.below(started.length)];
    if (!handle || !await tell(handle, "pause")) return;
    await new Promise((resolve) => setTimeout(resolve, prng.below(MAX_PAUSED_MS)));
    await tell(handle, "resume");
  },
  "file cancelled and retried": async (parts) => {
    const { pipeline, started, prng } = parts;
    const handle = started[prng.below(started.length)];
    if (!handle || !await tell(handle, "cancel")) return;
    await handle.result().catch(() => {});
    const [file] = await pipeline.sql<FileRow[]>`
      select file_id::integer as "fileId", file_name as name, workflow_id as "workflowId"
      from ingest.files where workflow_id = ${handle.workflowId} and state = 'cancelled'`;
    if (file) await retry(parts, file);
  },
  "file unloaded and retried": async (parts) => {
    const file = await pickLoaded(parts);
    if (!file) return;
    await unloadFile(parts.running, String(file.fileId), parts.config);
    await retry(parts, file);
  },
  "rejects replayed": async (parts) => {
    const file = await pickLoaded(parts);
    if (!file) return;
    const { loaded } = await replayFile(parts.running, parts.config, { fileId: file.fileId });
    assert.equal(loaded, 0, "they break the contract as before");
  },
  "reject corrected and replayed": async (parts) => {
    const { planted, running, config, operator } = parts;
    const file = await pickLoaded(parts);
    const reject = file && await pickReject(parts, file);
    const correction = reject && planted.corrections.get(`${file.name}:${reject.line}`);
    if (!correction) return;
    const { fileId } = file;
    const { rejectId } = reject;
    assert.ok(
      await correctReject(operator, rejectId, new TextEncoder().encode(correction.text)),
    );
    const { loaded } = await replayFile(running, config, { fileId, rejectId });
    assert.equal(loaded, 1);
    expectCorrection(planted, file.name, correction);
  },
  "rejects waived": async (parts) => {
    const file = await pickLoaded(parts);
    const reject = file && await pickReject(parts, file);
    if (!reject) return;
    assert.equal(await waiveRejects(parts.operator, [reject.rejectId], "by a test"), 1);
  },
};

interface FileRow {
  fileId: number;
  name: string;
  workflowId: string;
}

/** Whether the workflow took it: it may have ended, or may not be at a point where it can. */
async function tell(handle: IngestHandle, update: "pause" | "resume" | "cancel"): Promise<boolean> {
  try {
    await handle.executeUpdate(update);
    return true;
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) return false;
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** The file counts as its retry from now on; what had been corrected in it is as it came. */
async function retry(
  { pipeline, running, config, planted, started }: TortureParts,
  { fileId, name, workflowId }: FileRow,
): Promise<void> {
  withdrawCorrections(planted, name);
  const retried = await retryFile(running, String(fileId), config);
  assert.equal(retried.state, "loaded");
  const [row] = await pipeline.sql<{ id: string }[]>`
    select workflow_id as id from ingest.files where file_id = ${retried.fileId}`;
  const index = started.findIndex((handle) => handle.workflowId === workflowId);
  if (row && index >= 0) started[index] = pipeline.client.workflow.getHandle(row.id);
}

async function pickLoaded({ pipeline, prng }: TortureParts): Promise<FileRow | undefined> {
  const files = await pipeline.sql<FileRow[]>`
    select file_id::integer as "fileId", file_name as name, workflow_id as "workflowId"
    from ingest.files where state = 'loaded' and settled_at is not null order by file_name`;
  return files[prng.below(Math.max(1, files.length))];
}

async function pickReject(
  { pipeline, prng }: TortureParts,
  { fileId }: FileRow,
): Promise<{ rejectId: number; line: number } | undefined> {
  const rejects = await pipeline.sql<{ rejectId: number; line: number }[]>`
    select reject_id::integer as "rejectId", line_number as line
    from ingest.rejects where file_id = ${fileId} and state = 'open' order by line_number`;
  return rejects[prng.below(Math.max(1, rejects.length))];
}
