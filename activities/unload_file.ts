import type { Abandonment, IngestFileInput, Remainder } from "../domain/ingest_api.ts";
import type { FileState, UnloadTarget } from "../domain/ledger.ts";
import { heartbeatAndCheck, workflowOfActivity } from "./activity_context.ts";
import { contractOf } from "./contract_of.ts";
import type { ActivityDeps } from "./create_activities.ts";
import { claimFile } from "./statements/claim_file.ts";
import { abandonFile, endUnload } from "./statements/finish_file.ts";
import { replayUncontradicted } from "./replay_uncontradicted.ts";
import { committedChunks, unloadChunk } from "./statements/unload_chunk.ts";

/**
 * Gives up the file of this workflow, wherever it is by now: claims it (or writes its row, if nothing was done yet), which
 * stops all attempts under way, and says what remains to be done.
 *
 * @param deps What activities work with.
 * @param input What the workflow was started with.
 * @param request What the file shall become.
 */
export async function abandonInput(
  deps: ActivityDeps,
  input: IngestFileInput,
  request: Abandonment,
): Promise<Remainder> {
  const claimed = await claimFile(deps.sql, input, {
    ...workflowOfActivity(),
    contractVersion: contractOf(deps, input.feed).version,
  });
  const { fileId } = claimed;
  if (claimed.step === "yield") {
    return { next: "yield", fileId, ownerWorkflowId: claimed.ownerWorkflowId };
  }
  if (claimed.step !== "inspect") return { next: claimed.step, fileId };
  const { next } = await abandonFile(deps.sql, { fileId, ...request }, { epoch: claimed.epoch });
  return { next: next === "unload" ? "unload" : "settle", fileId };
}

/**
 * Unloads chunk by chunk, each in its own transaction, replays what had contradicted the events that are free now, then
 * ends the unload. A further attempt goes on where this one stopped.
 *
 * @param deps What activities work with.
 * @param file The file, in state `unloading`.
 */
export async function unloadFile(
  deps: ActivityDeps,
  { fileId }: { fileId: number },
): Promise<void> {
  const { sql } = deps;
  const [file] = await sql<{ state: FileState; unload_to: UnloadTarget | null }[]>`
    select state, unload_to from ingest.files where file_id = ${fileId}`;
  if (file?.state !== "unloading") return;
  const keepRejects = file.unload_to === "failed";
  for (const chunkNo of await committedChunks(sql, fileId)) {
    heartbeatAndCheck({ fileId, chunkNo });
    await unloadChunk(sql, { fileId, keepRejects }, chunkNo);
  }
  await replayUncontradicted(deps, fileId);
  await sql.begin(async (tx) => {
    await tx`select from ingest.files where file_id = ${fileId} for update`;
    await endUnload(tx, fileId);
  });
}
