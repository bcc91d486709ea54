import {
  CancellationScope,
  CancelledFailure,
  continueAsNew,
  defineQuery,
  isCancellation,
  setHandler,
} from "@temporalio/workflow";
import { FAULT_CODES, type FileFaultCode } from "../domain/faults.ts";
import {
  type Abandonment,
  type Claim,
  type IngestFileInput,
  type IngestFileResult,
  type Remainder,
} from "../domain/ingest_api.ts";
import type { Counts } from "../domain/ledger.ts";
import { FileControl } from "./_file_control.ts";
import { SpanQueue } from "./_span_queue.ts";
import { type IngestProgress, IngestView } from "./_ingest_view.ts";
import { type IngestSteps, proxyIngestSteps } from "./_ingest_steps.ts";
import { causeType, isTerminal } from "./_failures.ts";

/** How far the file is; answered also after the workflow ended. */
export const progressQuery = defineQuery<IngestProgress>("progress");

/** A claim can be lost to another workflow and won back; more often than this it is a bug, and stays visible. */
const MAX_CLAIMS = 5;

/**
 * Ingests one version of one file: inspect, load, settle. What was done is written in the ledger, so every step can be
 * repeated, and a run that was ended from outside is simply started again.
 *
 * @param input Which file.
 * @returns What became of its records. Fails, typed by the fault's code, when the file as a whole could not be loaded.
 */
export async function ingestFile(input: IngestFileInput): Promise<IngestFileResult> {
  const steps = proxyIngestSteps(input.settings);
  const view = new IngestView(input);
  setHandler(progressQuery, () => view.progress());
  const control = new FileControl({
    refusal: () => view.refusal(),
    onPaused: async (paused) => {
      view.pause(paused);
      await steps.markPaused({ paused });
    },
  });
  for (let claims = 1;; claims++) {
    try {
      const tried = claims === 1 ? input : claimAnew(input);
      return view.conclude(await control.run(() => ingest(tried, steps, view, control)));
    } catch (failure) {
      if (causeType(failure) === "StaleClaim" && claims < MAX_CLAIMS) continue;
      const reason = reasonToGiveUp(failure, control.cancelled);
      if (reason === null) throw failure;
      const result = await CancellationScope.nonCancellable(() =>
        giveUp(input, reason, steps, view)
      );
      if (reason.unloadTo === "cancelled" && result.state === "cancelled" && !control.cancelled) {
        view.conclude(result);
        throw isCancellation(failure) ? failure : new CancelledFailure("The file was cancelled");
      }
      return view.conclude(result);
    }
  }
}

async function ingest(
  input: IngestFileInput,
  steps: IngestSteps,
  view: IngestView,
  control: FileControl,
): Promise<IngestFileResult> {
  if (input.shortWay) {
    const result = await takeShortWay(input, steps, view, control);
    if (result !== null) return result;
  }
  const inspection = input.resume
    ? { next: "load" as const, claim: input.resume.claim }
    : await control.pausable(() => view.during("inspecting", () => steps.inspectFile(input)));
  if (inspection.next !== "load") return finish(inspection, steps, view);
  const { claim } = inspection;
  await loadChunks(input, claim, steps, view, control);
  return await view.during("settling", () => steps.settleFile(claim));
}

/** Null when something stood in the way that a further attempt may find gone: it goes on where the Web UI shows retries. */
async function takeShortWay(
  input: IngestFileInput,
  steps: IngestSteps,
  view: IngestView,
  control: FileControl,
): Promise<IngestFileResult | null> {
  try {
    return await view.during("at once", () => steps.ingestSmallFileAtOnce(input));
  } catch (failure) {
    if (isCancellation(failure) || isTerminal(failure)) throw failure;
  }
  return await control.pausable(() => view.during("retrying", () => steps.ingestSmallFile(input)));
}

/** Loads the spans of a file, a few at a time; the first failure stops the others at their next chunk border. */
async function loadChunks(
  input: IngestFileInput,
  claim: Claim,
  steps: IngestSteps,
  view: IngestView,
  control: FileControl,
): Promise<void> {
  const spans = new SpanQueue(claim.chunks, input.resume?.nextChunk ?? 0, input.settings);
  view.plan(claim, spans.next);
  await control.pausable(() =>
    view.during("loading", async () => {
      // What a pause has stopped is handed out again: chunks that were committed cost nothing.
      spans.takeBack();
      await loadSpans(spans, claim, steps, view);
    })
  );
  if (spans.next < claim.chunks) {
    // The next run would not know of a cancellation that came with the last spans of this one.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure("Cancelled");
    await continueAsNew<typeof ingestFile>({ ...input, resume: { claim, nextChunk: spans.next } });
  }
}

async function loadSpans(
  spans: SpanQueue,
  claim: Claim,
  steps: IngestSteps,
  view: IngestView,
): Promise<void> {
  await CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    const loadLane = async () => {
      for (let span = spans.take(); span !== undefined; span = spans.take()) {
        const counts: Counts = await steps.loadSpan({ claim, ...span });
        view.loaded(spans.finish(span), counts);
      }
    };
    const lanes = Array.from({ length: spans.inFlight }, () =>
      loadLane().catch((failure) => {
        scope.cancel();
        throw failure;
      }));
    const [failed, ...others] = (await Promise.allSettled(lanes)).filter(isRejected);
    // The lane that failed by itself says why; the other was only told to stop.
    const cause = [failed, ...others].find((lane) => lane && !isCancellation(lane.reason)) ??
      failed;
    if (cause) throw cause.reason;
  });
}

/** A claim that was lost is not taken up again, not even the one that the run before handed on. */
function claimAnew({ resume: _lost, ...input }: IngestFileInput): IngestFileInput {
  return input;
}

async function giveUp(
  input: IngestFileInput,
  reason: Abandonment,
  steps: IngestSteps,
  view: IngestView,
): Promise<IngestFileResult> {
  return await finish(await steps.abandonFile(input, reason), steps, view);
}

/** What remains for a file that is not to be loaded (any more). */
async function finish(
  remainder: Remainder,
  steps: IngestSteps,
  view: IngestView,
): Promise<IngestFileResult> {
  const { fileId } = remainder;
  if (remainder.next === "done") return steps.readResult({ fileId });
  if (remainder.next === "yield") {
    const { ownerWorkflowId } = remainder;
    return { ...await steps.readResult({ fileId }), ownerWorkflowId };
  }
  if (remainder.next === "unload") {
    await view.during("unloading", () => steps.unloadFile({ fileId }));
  }
  return await view.during("settling", () => steps.settleFile({ fileId }));
}

/** Null for what only a person can mend: the workflow fails and the file stays as it is, to be started again. */
function reasonToGiveUp(failure: unknown, cancelledByUpdate: boolean): Abandonment | null {
  switch (causeType(failure)) {
    case "FileChanged":
      return reason("failed", "changed");
    case "ErrorBudgetExceeded":
      return reason("failed", "error_budget");
  }
  // A worker that died does not answer a cancellation: its activity ends by a timeout instead.
  const isCancelled = isCancellation(failure) || cancelledByUpdate ||
    CancellationScope.current().consideredCancelled;
  return isCancelled ? reason("cancelled", "cancelled") : null;
}

function reason(unloadTo: "failed" | "cancelled", errorCode: FileFaultCode): Abandonment {
  const { message, advice } = FAULT_CODES[errorCode];
  return { unloadTo, errorCode, errorMessage: `Cannot load the file: ${message}. ${advice}` };
}

function isRejected(outcome: PromiseSettledResult<void>): outcome is PromiseRejectedResult {
  return outcome.status === "rejected";
}
