import { setCurrentDetails } from "@temporalio/workflow";
import type { ReplayInput, ReplayResult } from "../domain/ingest_api.ts";
import { proxyIngestSteps } from "./_ingest_steps.ts";

/**
 * Replays open rejects of one loaded file: what holds by now becomes rows of that file, at its line. May be repeated.
 *
 * @param input Which rejects, by number, fault or column; by default all that are open.
 */
export async function replayRejects(input: ReplayInput): Promise<ReplayResult> {
  const { settings, ...which } = input;
  setCurrentDetails(`Replays rejects of file ${input.fileId}`);
  const result = await proxyIngestSteps(settings).replayRejects(which);
  const { loaded, duplicates, open, truncated, tooLong } = result;
  setCurrentDetails(
    `File ${input.fileId}: ${loaded} loaded, ${duplicates} duplicates, ${open} still open, ` +
      `${truncated} cut, ${tooLong} too long`,
  );
  return result;
}
