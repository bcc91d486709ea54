import type { Contract } from "../domain/contract.ts";
import type { ErrorBudget } from "../domain/error_budget.ts";
import type {
  Abandonment,
  IngestFileInput,
  IngestFileResult,
  Inspection,
  Remainder,
  ReplayInput,
  ReplayResult,
  Span,
} from "../domain/ingest_api.ts";
import type { Tick, TickResult } from "../domain/generator_state.ts";
import type { Counts } from "../domain/ledger.ts";
import { activityAttempt, sayAlive, workflowOfActivity } from "./activity_context.ts";
import { type Sql, withSafeErrors } from "./database.ts";
import { ingestSmallFile } from "./ingest_small_file.ts";
import { inspectFile } from "./inspect_file.ts";
import { createLandTick } from "./land_tick.ts";
import type { FilesAhead } from "./load_at_once.ts";
import { loadSpan } from "./load_span.ts";
import { replayRejects } from "./replay_rejects.ts";
import { settleFile } from "./settle_file.ts";
import { readResult } from "./statements/settle_statements.ts";
import { markPaused } from "./statements/mark_paused.ts";
import { wasIngested } from "./statements/was_ingested.ts";
import { abandonInput, unloadFile } from "./unload_file.ts";

/** What activities work with; the one place where effects come in. */
export interface ActivityDeps {
  /** Pool of the ingest role. */
  sql: Sql;
  /** Contracts by feed. */
  contracts: ReadonlyMap<string, Contract>;
  /** Where settled files go, absolute. */
  directories: { archive: string; failed: string };
  /** `delete` moves as well: the watcher removes later. */
  archivePolicy: "move" | "keep" | "delete";
  /** Target size of a chunk, bytes. */
  chunkBytes: number;
  /** Fewer rows of a chunk are inserted, not copied; `LEAST_ROWS_TO_COPY` unless a test wants few copied. */
  leastRowsToCopy?: number;
  /** Where expanded forms of compressed and UTF-16 files are kept while they load, absolute, and their cap in bytes. */
  expansion: { spool: string; maxBytes: number };
  /** Beyond it a file is unloaded and fails; records that retention or another version refused do not count. */
  errorBudget: ErrorBudget;
  /** Name of this worker, for the ledger. */
  worker: string;
  /** Where the process also starts the workflows of files. */
  loadAhead?: FilesAhead;
  /** Called behind each commit that others may want to see. */
  onChange?: () => void;
  /** Told how long the transaction of a chunk took, without a wait for its workflow, seconds. */
  onChunk?: (seconds: number) => void;
  /** Told the lag of a file that was settled, seconds; null when nothing was loaded. */
  onSettled?: (lagSeconds: number | null) => void;
  /** Newest migration that this program knows; a database beyond it is refused. */
  schemaVersion: number;
  /** Points at which tests stop, kill or race a worker. */
  hooks?: {
    beforeChunk?: (fileId: number, chunkNo: number) => Promise<void>;
    /** Without a number: the file gets its own in this transaction. */
    beforeChunkTransaction?: (fileId: number | null, chunkNo: number) => Promise<void>;
    afterComplete?: (fileId: number) => Promise<void>;
    beforeMove?: (fileId: number) => Promise<void>;
  };
}

/**
 * The activities of the worker, one effect each. Whatever PostgreSQL throws leaves them without a value in it (I6).
 *
 * @param deps What they work with.
 */
export function createActivities(deps: ActivityDeps) {
  const landTick = createLandTick({
    beat: sayAlive,
    attempt: activityAttempt,
    wasIngested: (path, sha256) => wasIngested(deps.sql, path, sha256),
  });
  return {
    /** Claims a file, reads it once, and stores its plan. */
    inspectFile: (input: IngestFileInput): Promise<Inspection> =>
      withSafeErrors(() => inspectFile(deps, input)),
    /** Loads some chunks of a planned file. */
    loadSpan: (span: Span): Promise<Counts> => withSafeErrors(() => loadSpan(deps, span)),
    /** Declares a file complete, and moves it. */
    settleFile: (file: { fileId: number; epoch?: number }): Promise<IngestFileResult> =>
      withSafeErrors(() => settleFile(deps, file)),
    /** Result of a file that another workflow has, or that was settled before. */
    readResult: (file: { fileId: number }): Promise<IngestFileResult> =>
      withSafeErrors(() => readResult(deps.sql, file.fileId)),
    /** All of the above for a file of one chunk. */
    ingestSmallFile: (input: IngestFileInput): Promise<IngestFileResult> =>
      withSafeErrors(() => ingestSmallFile(deps, input)),
    /** Validates rejects of a loaded file again, and loads those that hold now. */
    replayRejects: (input: Omit<ReplayInput, "settings">): Promise<ReplayResult> =>
      withSafeErrors(() => replayRejects(deps, input)),
    /** Notes that a person has paused the file of this workflow, or has let it go on. */
    markPaused: ({ paused }: { paused: boolean }): Promise<void> =>
      withSafeErrors(() => markPaused(deps.sql, { ...workflowOfActivity(), paused })),
    /** Gives a file up, so that no attempt under way can write. */
    abandonFile: (input: IngestFileInput, request: Abandonment): Promise<Remainder> =>
      withSafeErrors(() => abandonInput(deps, input, request)),
    /** Takes the committed chunks of a file out of the warehouse. */
    unloadFile: (file: { fileId: number }): Promise<void> =>
      withSafeErrors(() => unloadFile(deps, file)),
    /** Lands one file of generated events. */
    landTick: (tick: Tick): Promise<TickResult> => withSafeErrors(() => landTick(tick)),
  };
}

/** Type of the activities, for `proxyActivities`. */
export type Activities = ReturnType<typeof createActivities>;
