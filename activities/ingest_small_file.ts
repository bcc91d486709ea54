import type { IngestFileInput, IngestFileResult } from "../domain/ingest_api.ts";
import type { ActivityDeps } from "./create_activities.ts";
import { inspectFile } from "./inspect_file.ts";
import { loadAtOnce } from "./load_at_once.ts";
import { loadSpan } from "./load_span.ts";
import { settleFile, settleRow } from "./settle_file.ts";
import { readResult } from "./statements/settle_statements.ts";
import { unloadFile } from "./unload_file.ts";

/**
 * The short way: all of a small file in one activity, and what is plain about it in one transaction. Otherwise the steps
 * are those of a large one. They find out from the ledger what an attempt before has done, so it may be tried again from
 * any point.
 *
 * @param deps What activities work with.
 * @param input What the workflow was started with.
 */
export async function ingestSmallFile(
  deps: ActivityDeps,
  input: IngestFileInput,
): Promise<IngestFileResult> {
  const loaded = await loadAtOnce(deps, input);
  if (loaded !== null) return settleRow(deps, loaded.row, loaded.announced);
  const inspection = await inspectFile(deps, input);
  switch (inspection.next) {
    case "done":
      return readResult(deps.sql, inspection.fileId);
    case "yield":
      return {
        ...await readResult(deps.sql, inspection.fileId),
        ownerWorkflowId: inspection.ownerWorkflowId,
      };
    case "unload":
      await unloadFile(deps, inspection);
      return settleFile(deps, inspection);
    case "settle":
      return settleFile(deps, inspection);
    case "load": {
      const { claim } = inspection;
      await loadSpan(deps, { claim, firstChunk: 0, endChunk: claim.chunks });
      return settleFile(deps, claim);
    }
  }
}
