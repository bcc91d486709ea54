/**
 * What the watcher, the workflows, the activities and the commands say to each other: queues, inputs, results, failure
 * names. Only ids, paths, offsets, counts and codes: no row, cell value or connection string ever stands in one (I6).
 *
 * @module
 */
import type { Counts, FileState, UnloadTarget } from "./ledger.ts";

/** Which version of a file was seen: compared field by field, so that a replaced file is another file. */
export interface FileIdentity {
  /** Absolute path. */
  path: string;
  ino: number;
  sizeBytes: number;
  /** Milliseconds since 1970. */
  mtimeMs: number;
  /** Milliseconds since 1970. */
  ctimeMs: number;
}

/** Input of the workflow `ingestFile`. */
export interface IngestFileInput {
  feed: string;
  /** The inbox that owns the file. */
  inboxId: string;
  identity: FileIdentity;
  /** RFC 3339, when the watcher took the file for ready. */
  discoveredAt: string;
  /** RFC 3339, when the writer was done, as far as it was seen. */
  closedAt: string | null;
  /** Small and uncompressed: inspect, load and settle in one activity. */
  shortWay: boolean;
  /** Timeouts and sizes of this deployment; part of the input, so that replay is deterministic. */
  settings: IngestSettings;
  /** The ledger row that an operation such as retry made before it started this workflow. */
  fileId?: number;
  /** Set by continue-as-new: inspection is done, chunks before this one were handed out and are committed. */
  resume?: { claim: Claim; nextChunk: number };
}

/** Timeouts and sizes that workflows need. */
export interface IngestSettings {
  heartbeatTimeoutMs: number;
  /** Chunks per activity. */
  chunksPerSpan: number;
  /** Spans in flight per file. Workflows that an earlier version started do not have it. */
  spansInFlight?: number;
  /** Longest wait between two attempts while PostgreSQL or the disk is away. */
  maxRetryIntervalMs: number;
  /** Whether the server knows our search attributes; using an unknown one would fail the workflow task. */
  searchAttributes: boolean;
}

/** A file in the hands of a worker: what later steps need to prove that they still own it. */
export interface Claim {
  fileId: number;
  epoch: number;
  /** Number of chunks planned. */
  chunks: number;
  /** Records planned over all chunks. */
  records: number;
  sizeBytes: number;
}

/** What inspection found: a plan to load, or a file that only has to be settled or unloaded. */
export type Inspection =
  | { next: "load"; claim: Claim }
  | { next: "settle" | "unload" | "done"; fileId: number }
  /** The row belongs to another workflow now; this one has nothing left to do. */
  | { next: "yield"; fileId: number; ownerWorkflowId: string };

/** Result of the workflow, and of settling. */
export interface IngestFileResult extends Counts {
  fileId: number;
  state: FileState;
  /** Why the file as a whole was not loaded. */
  errorCode?: string;
  /** The same for people, with what to do. */
  errorMessage?: string;
  duplicateOf?: number;
  archivePath?: string;
  /** Set when another workflow owns the file. */
  ownerWorkflowId?: string;
}

/** One activity's share of a file: chunks `firstChunk` up to but not including `endChunk`. */
export interface Span {
  claim: Claim;
  firstChunk: number;
  endChunk: number;
}

/** What an abandoned file shall become. */
export interface UnloadRequest {
  fileId: number;
  /** `unloaded` applies to loaded files, the others to loading ones. */
  unloadTo: UnloadTarget;
  /** Code stored with the file when it goes to `failed` or `cancelled`. */
  errorCode?: string;
  errorMessage?: string;
}

/** Input of the workflow `replayRejects`: ids and codes, never what stands in a record. */
export interface ReplayInput {
  fileId: number;
  /** Only this one. */
  rejectId?: number;
  /** Only those with this fault. */
  code?: string;
  /** Only those with a fault in this column; with a code, that fault in this column. */
  column?: string;
  settings: IngestSettings;
}

/** What became of replayed rejects. */
export interface ReplayResult {
  loaded: number;
  duplicates: number;
  /** They still break the contract. */
  open: number;
  /** Only their beginning is kept, and their file cannot be read any more. */
  truncated: number;
  /** Longer than any record may be: left open, until somebody stores a correction. */
  tooLong: number;
}

/** Why a workflow gives up its file. */
export type Abandonment = Omit<UnloadRequest, "fileId">;

/** What remains to be done for a file that is not to be loaded (any more). */
export type Remainder = Exclude<Inspection, { next: "load" }>;

/** Names of failures that a further attempt cannot mend; the retry policies are built from this list. */
export const TERMINAL_FAILURES = [
  "StaleClaim",
  "FileChanged",
  "ErrorBudgetExceeded",
  "SchemaTooNew",
  "NotLoaded",
] as const;

/** One of {@linkcode TERMINAL_FAILURES}. */
export type TerminalFailure = typeof TERMINAL_FAILURES[number];

/**
 * Task queue of the workers that can open an inbox, so that two homes on one server never take each other's files.
 *
 * @param inboxId UUID of the inbox.
 * @example
 * ```ts
 * import { taskQueue } from "./ingest_api.ts";
 * import assert from "node:assert/strict";
 * assert.equal(taskQueue("0e8dfd64-8b7f-4c27-8f3e-0d1f9a1b2c3d"), "clickledger-0e8dfd64-8b7f-4c27-8f3e-0d1f9a1b2c3d");
 * ```
 */
export function taskQueue(inboxId: string): string {
  return `clickledger-${inboxId}`;
}

/** Largest file that takes the short way: one chunk. */
export const SHORT_WAY_MAX_BYTES = 4 * 1024 * 1024;

/** Spans in flight per file before that was a setting. */
export const EARLIER_SPANS_IN_FLIGHT = 2;

/** Spans per run, after which the workflow continues as new to keep its history short. */
export const SPANS_PER_RUN = 200;
