import assert from "node:assert/strict";
import { ApplicationFailure } from "@temporalio/common";
import { abandonFile } from "../../activities/statements/finish_file.ts";
import { FAULT_CODES } from "../../domain/faults.ts";
import {
  type Claim,
  type IngestFileResult,
  type Remainder,
  TERMINAL_FAILURES,
} from "../../domain/ingest_api.ts";
import { operationWorkflowId } from "../../domain/workflow_ids.ts";
import { type Job, jobOf, type Warehouse } from "./_warehouse.ts";

/** All steps of one file, tried again and given up as its workflow does. */
export async function ingest(house: Warehouse, file: string | Job): Promise<IngestFileResult> {
  const job = typeof file === "string" ? await house.job(file) : file;
  try {
    return await untilDone(() => house.run("ingestSmallFile", job, job.input));
  } catch (failure) {
    const code = failure instanceof ApplicationFailure && GIVEN_UP[failure.type ?? ""];
    if (!code) throw failure;
    const reason = {
      unloadTo: "failed",
      errorCode: code,
      errorMessage: FAULT_CODES[code].message,
    } as const;
    const remainder = await house.run("abandonFile", job, job.input, reason);
    return await finish(house, job, remainder);
  }
}

const GIVEN_UP: Record<string, "changed" | "error_budget"> = {
  FileChanged: "changed",
  ErrorBudgetExceeded: "error_budget",
};

/** The claim of a file that has to be loaded. */
export async function claim(house: Warehouse, job: Job): Promise<Claim> {
  const inspection = await house.run("inspectFile", job, job.input);
  assert.ok(inspection.next === "load", `next is ${inspection.next}`);
  return inspection.claim;
}

/** Takes a loaded file out again. */
export async function unload(house: Warehouse, fileId: number): Promise<IngestFileResult> {
  const workflowId = operationWorkflowId("unload", house.inboxId, fileId);
  const request = { fileId, unloadTo: "unloaded" } as const;
  const { next } = await abandonFile(house.deps.sql, request, { workflowId });
  assert.notEqual(next, "refused");
  return await finish(house, { workflowId }, { next: "unload", fileId });
}

/** Goes on with what re-opening left for the next start, as the re-list does. */
export async function ingestUnfinished(house: Warehouse): Promise<IngestFileResult[]> {
  const results: IngestFileResult[] = [];
  for (;;) {
    const [row] = await house.deps.sql<
      {
        workflow_id: string;
        path: string;
        ino: number;
        size: number;
        mtime: number;
        ctime: number;
      }[]
    >`
      select workflow_id, path, ino, size_bytes as size, mtime_ms as mtime, ctime_ms as ctime
      from ingest.files where settled_at is null order by file_id limit 1`;
    if (row === undefined) return results;
    const { path, ino, size: sizeBytes, mtime: mtimeMs, ctime: ctimeMs } = row;
    const identity = { path, ino, sizeBytes, mtimeMs, ctimeMs };
    results.push(await ingest(house, jobOf(house.inboxId, identity, row.workflow_id)));
  }
}

/** What remains of a file that is not to be loaded (any more). */
export async function finish(
  house: Warehouse,
  job: Pick<Job, "workflowId">,
  { next, fileId }: Remainder,
): Promise<IngestFileResult> {
  if (next === "unload") await untilDone(() => house.run("unloadFile", job, { fileId }));
  return await house.run("settleFile", job, { fileId });
}

const MAX_ATTEMPTS = 100;

/** The retry policy: only terminal failures, and what is no failure of ours, end it. */
async function untilDone<Result>(step: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1;; attempt++) {
    try {
      return await step();
    } catch (failure) {
      if (!(failure instanceof ApplicationFailure) || attempt === MAX_ATTEMPTS) throw failure;
      if ((TERMINAL_FAILURES as readonly unknown[]).includes(failure.type)) throw failure;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
