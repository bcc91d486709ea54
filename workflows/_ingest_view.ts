import {
  ApplicationFailure,
  setCurrentDetails,
  upsertSearchAttributes,
} from "@temporalio/workflow";
import type { Claim, IngestFileInput, IngestFileResult } from "../domain/ingest_api.ts";
import type { Counts } from "../domain/ledger.ts";
import { FILE_STATE, REJECTED, ROW_COUNT } from "../domain/search_attributes.ts";

/** What an ingestion is doing. */
export type Phase =
  | "at once"
  | "paused"
  | "inspecting"
  | "loading"
  | "retrying"
  | "settling"
  | "unloading"
  | "ended";

/** Answer to the query `progress`. */
export interface IngestProgress extends Counts {
  phase: Phase | "starting";
  chunks: number;
  chunksDone: number;
}

/** What the Web UI shows of an ingestion: current details while it runs, search attributes and result at its end. */
export class IngestView {
  #phase: Phase | "starting" = "starting";
  #chunks = 0;
  #chunksDone = 0;
  #planned = 0;
  readonly #counts: Counts = { records: 0, loaded: 0, duplicates: 0, rejected: 0 };
  readonly #input: IngestFileInput;
  /** By the workflow's clock; records loaded since tell the rate. */
  #loadingSince = 0;
  #recordsBefore = 0;

  constructor(input: IngestFileInput) {
    this.#input = input;
    if (input.shortWay) this.#phase = "at once";
  }

  /** Runs a step under the name of its phase. */
  during<T>(phase: Phase, step: () => Promise<T>): Promise<T> {
    this.#phase = phase;
    if (phase === "loading") {
      this.#loadingSince = Date.now();
      this.#recordsBefore = this.#counts.records;
    }
    // What is done at once would be over before it is read.
    if (phase !== "at once") this.#show();
    return step();
  }

  /** Shows that a person has stopped it, or has let it go on. */
  pause(paused: boolean): void {
    this.#phase = paused ? "paused" : "starting";
    this.#show();
    if (!this.#input.settings.searchAttributes) return;
    upsertSearchAttributes([{ key: FILE_STATE, value: paused ? "paused" : "loading" }]);
  }

  /** Why a person can neither pause nor cancel it now; null when they can. */
  refusal(): string | null {
    switch (this.#phase) {
      case "at once":
        return "a small file takes all its steps at once, and is done within seconds";
      case "settling":
        return "it is complete, and is being moved; unload it instead";
      case "unloading":
        return "it is being taken out already";
      case "ended":
        return "it has ended";
    }
    return null;
  }

  /** Says how much there is to do; after continue-as-new some is done. */
  plan({ chunks, records }: Claim, chunksDone: number): void {
    this.#chunks = chunks;
    this.#chunksDone = chunksDone;
    this.#planned = records;
    this.#show();
  }

  /** Adds what a span brought. */
  loaded(chunks: number, counts: Counts): void {
    this.#chunksDone += chunks;
    for (const key of Object.keys(counts) as (keyof Counts)[]) this.#counts[key] += counts[key];
    this.#show();
  }

  /** Snapshot for the query. */
  progress(): IngestProgress {
    return {
      phase: this.#phase,
      chunks: this.#chunks,
      chunksDone: this.#chunksDone,
      ...this.#counts,
    };
  }

  /**
   * Shows the end of a file and hands its result on; a file that could not be loaded fails the workflow with the fault's
   * code as type and its sentence as message.
   */
  conclude(result: IngestFileResult): IngestFileResult {
    this.#phase = "ended";
    const { fileId, state, records, loaded, duplicates, rejected } = result;
    Object.assign(this.#counts, { records, loaded, duplicates, rejected });
    if (this.#input.settings.searchAttributes) {
      upsertSearchAttributes([
        { key: FILE_STATE, value: state },
        { key: REJECTED, value: rejected },
        { key: ROW_COUNT, value: records },
      ]);
    }
    setCurrentDetails(describeEnd(result));
    if (state !== "failed" || result.ownerWorkflowId !== undefined) return result;
    throw ApplicationFailure.create({
      type: result.errorCode ?? "failed",
      message: result.errorMessage ?? `Cannot load file ${fileId}`,
      nonRetryable: true,
      details: [{ fileId, path: this.#input.identity.path }],
    });
  }

  #rate(): number {
    const seconds = (Date.now() - this.#loadingSince) / 1000;
    return seconds > 0 ? Math.round((this.#counts.records - this.#recordsBefore) / seconds) : 0;
  }

  #show(): void {
    const { loaded, duplicates, rejected } = this.#counts;
    const rows = [
      `**${this.#phase}**`,
      this.#chunks > 0
        ? `chunks ${this.#chunksDone} of ${this.#chunks}, ${this.#planned} records`
        : "",
      this.#chunksDone > 0
        ? `loaded ${loaded}, duplicates ${duplicates}, rejected ${rejected}`
        : "",
      this.#phase === "loading" && this.#rate() > 0 ? `${this.#rate()} records a second` : "",
      this.#phase === "paused"
        ? "Stopped by a person at a chunk border. What is committed stays; the update `resume`, or " +
          "`deno task files resume`, lets it go on."
        : "",
      this.#phase === "retrying"
        ? "The first attempt failed for a reason that may pass: see the pending activity."
        : "",
    ];
    setCurrentDetails(rows.filter(Boolean).join("\n\n"));
  }
}

function describeEnd(result: IngestFileResult): string {
  const { fileId, state, records, loaded, duplicates, rejected } = result;
  const lines = [
    `**${state}** as file ${fileId}`,
    `records ${records} = loaded ${loaded} + duplicates ${duplicates} + rejected ${rejected}`,
  ];
  if (result.duplicateOf !== undefined) lines.push(`Same bytes as file ${result.duplicateOf}.`);
  if (result.ownerWorkflowId !== undefined) lines.push(`Owned by \`${result.ownerWorkflowId}\`.`);
  if (result.errorMessage !== undefined) lines.push(result.errorMessage);
  if (rejected > 0) lines.push(`See the rejects: \`deno task files show ${fileId}\``);
  return lines.join("\n\n");
}
