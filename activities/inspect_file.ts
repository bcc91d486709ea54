import { type FileHandle, open } from "node:fs/promises";
import type { FileFault } from "../domain/faults.ts";
import type { IngestFileInput, Inspection } from "../domain/ingest_api.ts";
import { judgeHeader } from "../domain/judge_header.ts";
import type { FilePlan } from "../domain/plan_chunks.ts";
import { renderFileFault } from "../domain/render_fault.ts";
import { heartbeatAndCheck, workflowOfActivity } from "./activity_context.ts";
import { contractOf } from "./contract_of.ts";
import type { ActivityDeps } from "./create_activities.ts";
import { sqlstateOf } from "./database.ts";
import { expandFile, spoolPath } from "./expand_file.ts";
import { planFile } from "./plan_file.ts";
import { openVersion } from "./open_version.ts";
import { unloadCutPredecessor } from "./unload_cut_predecessor.ts";
import { type ClaimedFile, claimFile } from "./statements/claim_file.ts";
import { abandonFile } from "./statements/finish_file.ts";
import { recordPlan, type StoredPlan, storedPlan } from "./statements/record_plan.ts";
import { refuseNewerSchema } from "./statements/refuse_newer_schema.ts";

/**
 * Claims a file, reads it once from end to end, and stores its plan: hash, dialect, header and chunks. A file that
 * cannot be loaded as a whole is given up here, with a code and a sentence for people.
 *
 * @param deps What activities work with.
 * @param input What the workflow was started with.
 */
export async function inspectFile(
  deps: ActivityDeps,
  input: IngestFileInput,
): Promise<Inspection> {
  const contract = contractOf(deps, input.feed);
  await refuseNewerSchema(deps.sql, deps.schemaVersion);
  const claimed = await claimFile(deps.sql, input, {
    ...workflowOfActivity(),
    contractVersion: contract.version,
  });
  if (claimed.step === "yield") {
    return { next: "yield", fileId: claimed.fileId, ownerWorkflowId: claimed.ownerWorkflowId };
  }
  if (claimed.step !== "inspect") return { next: claimed.step, fileId: claimed.fileId };

  const read = await readPlan(deps, claimed);
  if ("fault" in read) return await giveUp(deps, claimed, read.fault);
  const { plan } = read;
  const verdict = judgeHeader(contract, plan.header);
  if (!verdict.ok) return await giveUp(deps, claimed, verdict.fault);

  const stored = storedPlan(plan, { ...read, header: verdict.mapping.header });
  // Before it may turn out to be a copy of another file: then that one has the whole record.
  await unloadCutPredecessor(deps, {
    ...claimed,
    ...stored,
    feed: input.feed,
    discoveredAt: Date.parse(input.discoveredAt),
    hasOldEvents: false,
  });
  const recorded = await recordPlanOrWait(deps, claimed, stored);
  if (recorded.next === "settle") return recorded;
  return {
    next: "load",
    claim: {
      fileId: recorded.fileId,
      epoch: recorded.epoch,
      chunks: recorded.chunks,
      records: recorded.records,
      sizeBytes: plan.sizeBytes,
    },
  };
}

/** What one pass over a file told: hash and size of the bytes as they landed, the plan of their expanded form. */
interface ReadPlan {
  plan: FilePlan;
  sha256: string;
  expanded: boolean;
}

/** Reads the version of the file that the row stands for, or says why that is not possible. */
async function readPlan(
  deps: ActivityDeps,
  version: ClaimedFile,
): Promise<ReadPlan | { fault: FileFault }> {
  const opened = await openVersion(version);
  if ("fault" in opened) return { fault: { code: opened.fault } };
  try {
    const expanded = await expandFile(opened.handle, {
      name: version.fileName,
      target: spoolPath(deps.expansion.spool, version.fileId),
      maxBytes: deps.expansion.maxBytes,
      onProgress: (bytesExpanded) => heartbeatAndCheck({ bytesExpanded }),
    });
    if (expanded !== null && "fault" in expanded) return { fault: { code: expanded.fault } };
    const plan = expanded === null
      ? await planChunks(opened.handle, deps.chunkBytes)
      : await planSpool(deps, version.fileId);
    const landed = expanded ?? plan;
    if (landed.sizeBytes !== version.identity.sizeBytes) return { fault: { code: "changed" } };
    // What was written while we read would be found chunk by chunk; finding it now saves loading half a file.
    const again = await openVersion(version);
    if ("fault" in again) return { fault: { code: again.fault } };
    await again.handle.close();
    return { plan, sha256: landed.sha256, expanded: expanded !== null };
  } finally {
    await opened.handle.close();
  }
}

async function planSpool(deps: ActivityDeps, fileId: number): Promise<FilePlan> {
  const handle = await open(spoolPath(deps.expansion.spool, fileId), "r");
  try {
    return await planChunks(handle, deps.chunkBytes);
  } finally {
    await handle.close();
  }
}

function planChunks(handle: FileHandle, chunkBytes: number): Promise<FilePlan> {
  const onProgress = (bytesInspected: number) => heartbeatAndCheck({ bytesInspected });
  return planFile(handle, { chunkBytes, onProgress });
}

/** Two claims with the same bytes race for one index entry, or for one row: the loser looks again and sees the winner. */
async function recordPlanOrWait(
  deps: ActivityDeps,
  claimed: ClaimedFile,
  plan: StoredPlan,
): ReturnType<typeof recordPlan> {
  for (let attempt = 1;; attempt++) {
    try {
      return await recordPlan(deps.sql, claimed, plan);
    } catch (error) {
      const isRace = ["23505", "40P01"].includes(sqlstateOf(error) ?? "");
      if (!isRace || attempt === MAX_RACES) throw error;
    }
  }
}

const MAX_RACES = 10;

async function giveUp(
  { sql }: ActivityDeps,
  { fileId, epoch, identity }: ClaimedFile,
  fault: FileFault,
): Promise<Inspection> {
  const request = {
    fileId,
    unloadTo: "failed" as const,
    errorCode: fault.code,
    errorMessage: renderFileFault(fault, identity.path),
  };
  const { next } = await abandonFile(sql, request, { epoch });
  return { next: next === "unload" ? "unload" : "settle", fileId };
}
