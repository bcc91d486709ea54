import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { Contract } from "../domain/contract.ts";
import { takesShortWay } from "../domain/discovery.ts";
import { allowedRejects } from "../domain/error_budget.ts";
import { fileNameOf } from "../domain/file_name_of.ts";
import type { FileIdentity, IngestFileInput } from "../domain/ingest_api.ts";
import { judgeHeader } from "../domain/judge_header.ts";
import { planBytes } from "../domain/plan_chunks.ts";
import { type ChunkBatch, readChunk } from "../domain/read_chunk.ts";
import { ingestWorkflowId } from "../domain/workflow_ids.ts";
import { activityAttempt, heartbeatAndCheck, workflowOfActivity } from "./activity_context.ts";
import { contractOf } from "./contract_of.ts";
import type { ActivityDeps } from "./create_activities.ts";
import { sqlstateOf } from "./database.ts";
import { identityOf, READ_REGULAR_FILE, readIdentitySync, sameVersion } from "./file_identity.ts";
import type { LoadAhead } from "./load_ahead.ts";
import { MAX_RAW_BYTES } from "./read_planned_chunk.ts";
import { rememberInbox } from "./refuse_away.ts";
import { firstArchivePath } from "./settle_file.ts";
import { ensureMonths, forgetMonths } from "./statements/ensure_months.ts";
import {
  insertAtOnce,
  type LoadedFile,
  type Loader,
  NotPlain,
} from "./statements/insert_at_once.ts";
import { LEAST_ROWS_TO_COPY } from "./statements/load_chunk.ts";
import { type StoredPlan, storedPlan } from "./statements/record_plan.ts";
import { refuseNewerSchema } from "./statements/refuse_newer_schema.ts";
import type { SettlingFile } from "./statements/settle_statements.ts";

/** A file of one chunk of few records, read and validated as a whole. */
interface WholeFile {
  plan: StoredPlan;
  batch: ChunkBatch;
  rawOf: (byteStart: number, byteLength: number) => Uint8Array;
}

/** What an activity works with that begins to load a file before it runs. */
export type FilesAhead = LoadAhead<Loader, LoadedFile | null>;

/**
 * Loads a file of few records of which the ledger knows nothing: claim, plan, rows and counts commit in one transaction,
 * so that a crash leaves either nothing of it or a loaded file that has to be moved.
 *
 * @param deps What activities work with.
 * @param input What the workflow was started with.
 * @returns What remains to be settled, and where the ledger says that its bytes will be; null when anything about it is
 * out of the ordinary: nothing was written then, and the single steps find out what it is.
 */
export async function loadAtOnce(
  deps: ActivityDeps,
  input: IngestFileInput,
): Promise<{ row: SettlingFile; announced: string | null } | null> {
  if (input.fileId !== undefined || !takesShortWay(input.identity)) return null;
  const { workflowId, runId } = workflowOfActivity();
  const loader = { runId, attempt: activityAttempt(), since: performance.now() };
  const check = () => heartbeatAndCheck({ bytesRead: 0 });
  try {
    check();
    const loaded = await (deps.loadAhead?.take(workflowId, input, loader) ??
      loadPlain(deps, input, { workflowId, turn: Promise.resolve(loader), check }));
    if (loaded === null) return null;
    deps.onChange?.();
    await deps.hooks?.afterComplete?.(loaded.fileId);
    return { row: asLoaded(input, loaded), announced: loaded.archivePath };
  } catch (error) {
    // Whoever was cancelled before has not taken it.
    deps.loadAhead?.letGo(workflowId);
    if (error instanceof NotPlain) return null;
    const sqlstate = sqlstateOf(error) ?? "";
    if (sqlstate === "23514") forgetMonths(deps.sql);
    // Its version is part of the same answer.
    if (UNKNOWN_NAMES.has(sqlstate)) await refuseNewerSchema(deps.sql, deps.schemaVersion);
    if (!PASSING.has(sqlstate)) throw error;
    return null;
  }
}

/**
 * Begins to load a file, of which the workflow is being started. Until that runs, nothing of it is seen, and nothing stays but
 * months. Who needs what it locks waits until it is let go, for a second at most, and has taken all back, behind the statement
 * that is under way by then.
 *
 * @param deps What the activities of this process work with.
 * @param input What the workflow is started with.
 * @returns Lets go of it: for when the workflow is not run by this process, or not now.
 */
export function beginAtOnce(deps: ActivityDeps, input: IngestFileInput): () => void {
  const { inboxId, identity } = input;
  const isFit = identity.sizeBytes <= MAX_BYTES_AHEAD && takesShortWay(identity);
  if (deps.loadAhead === undefined || !isFit) return () => {};
  const { loadAhead } = deps;
  const workflowId = ingestWorkflowId(inboxId, identity);
  loadAhead.begin(
    workflowId,
    input,
    (turn, check) => loadPlain(deps, input, { workflowId, turn, check }),
  );
  return () => loadAhead.letGo(workflowId);
}

/** More than most files have that are loaded at once; others would be kept in memory. */
const MAX_BYTES_AHEAD = 256 * 1024;

/** Another attempt or another file of the same bytes came first, two transactions met, or a month was dropped. */
const PASSING = new Set(["23505", "40P01", "40001", "23514"]);

/** There is no such column, table or function, as in a newer schema. */
const UNKNOWN_NAMES = new Set(["42703", "42P01", "42883"]);

/** The row as settling takes it; what was announced counts as said by this attempt, not by one before. */
function asLoaded(
  { identity }: IngestFileInput,
  { fileId, epoch, rejected }: Pick<LoadedFile, "fileId" | "epoch" | "rejected">,
): SettlingFile {
  const state = "loaded";
  return {
    fileId,
    epoch,
    identity,
    fileName: fileNameOf(identity.path),
    state,
    settled: false,
    archivePath: null,
    errorCode: null,
    rejected,
  };
}

/**
 * Null, and nothing written, when it is not to be loaded at once.
 *
 * @param options.check Throws when it is not to be loaded any more: a connection may be long in coming.
 */
async function loadPlain(
  deps: ActivityDeps,
  input: IngestFileInput,
  { workflowId, turn, check }: { workflowId: string; turn: Promise<Loader>; check: () => void },
): Promise<LoadedFile | null> {
  check();
  const whole = await readPlain(deps, input);
  if (whole === null) return null;
  await deps.hooks?.beforeChunkTransaction?.(null, 0);
  check();
  const loaded = await insertAtOnce(deps.sql, {
    input,
    workflowId,
    turn,
    check,
    schemaVersion: deps.schemaVersion,
    plan: whole.plan,
    chunk: {
      worker: deps.worker,
      contract: contractOf(deps, input.feed),
      batch: whole.batch,
      rawOf: whole.rawOf,
    },
    isAsRead: () => lies(input.identity),
    archivePathOf: (numbered) =>
      firstArchivePath(deps, asLoaded(input, { ...numbered, rejected: 0 })),
  });
  deps.onChunk?.(loaded.tookMs / 1000);
  return loaded;
}

/** Reads what comes before the transaction; null for what is not to be loaded at once. */
async function readPlain(deps: ActivityDeps, input: IngestFileInput): Promise<WholeFile | null> {
  const whole = await readWhole(deps, contractOf(deps, input.feed), input);
  if (whole === null) return null;
  const { rejects, records, accepted } = whole.batch;
  if (rejects.length > allowedRejects(deps.errorBudget, records)) return null;
  await ensureMonths(deps.sql, accepted.eventMicros.items());
  return whole;
}

/** Null for what is not a plain file of few records, whole and as it was discovered. */
async function readWhole(
  { chunkBytes, leastRowsToCopy = LEAST_ROWS_TO_COPY }: ActivityDeps,
  contract: Contract,
  { identity, discoveredAt }: IngestFileInput,
): Promise<WholeFile | null> {
  const bytes = readVersion(identity);
  if (bytes === null) return null;
  await rememberInbox(identity.path);
  const plan = await planBytes(bytes, { chunkBytes });
  const [chunk] = plan.chunks;
  if (chunk === undefined || plan.chunks.length > 1) return null;
  if (chunk.records >= leastRowsToCopy) return null;
  const verdict = judgeHeader(contract, plan.header);
  if (!verdict.ok) return null;
  const { byteStart, byteEnd, firstLine } = chunk;
  const batch = readChunk(bytes.subarray(byteStart, byteEnd), {
    contract,
    dialect: plan.dialect,
    mapping: verdict.mapping,
    discoveredAt: Date.parse(discoveredAt),
    firstLine,
    byteStart,
  });
  return {
    plan: storedPlan(plan, {
      sha256: plan.sha256,
      expanded: false,
      header: verdict.mapping.header,
    }),
    batch,
    rawOf: (start, length) => bytes.subarray(start, start + Math.min(length, MAX_RAW_BYTES)),
  };
}

/**
 * The bytes of a version; null when another one, or none, lies at its path. At once, as `readIdentitySync`: of what is
 * read, one chunk at most, the rest of the process waits no longer than for its validation.
 */
function readVersion(identity: FileIdentity): Uint8Array | null {
  const file = tryOpen(identity.path);
  if (file === null) return null;
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || !sameVersion(identityOf(identity.path, stats), identity)) return null;
    const bytes = new Uint8Array(identity.sizeBytes);
    for (let filled = 0; filled < bytes.length;) {
      const bytesRead = readSync(file, bytes, filled, bytes.length - filled, filled);
      if (bytesRead === 0) return null;
      filled += bytesRead;
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** Null for what cannot be opened: the single steps say why. */
function tryOpen(path: string): number | null {
  try {
    return openSync(path, READ_REGULAR_FILE);
  } catch {
    return null;
  }
}

function lies(identity: FileIdentity): boolean {
  const found = readIdentitySync(identity.path);
  return found !== null && sameVersion(found.identity, identity);
}
