import { ApplicationFailure } from "@temporalio/common";
import { type FileHandle, open } from "node:fs/promises";
import { mapPlannedHeader } from "../domain/map_planned_header.ts";
import type { ReplayInput, ReplayResult } from "../domain/ingest_api.ts";
import { CSV_LIMITS } from "../domain/scan_csv.ts";
import { heartbeatAndCheck } from "./activity_context.ts";
import { contractOf } from "./contract_of.ts";
import type { ActivityDeps } from "./create_activities.ts";
import { ensureMonths } from "./statements/ensure_months.ts";
import { ensureProducts } from "./statements/ensure_products.ts";
import { readPlannedFile } from "./statements/read_planned_file.ts";
import {
  listOpenRejects,
  type OpenReject,
  readOpenRejects,
  replayBatch,
  type Replayed,
  validateAgain,
} from "./statements/replay_rejects.ts";

/** Rejects a transaction: its locks are held for milliseconds. */
const REJECTS_PER_TRANSACTION = 500;
/** Bytes of records a transaction: those beyond the quarantine's cap are read from their file. */
const BYTES_PER_TRANSACTION = 16 * 1024 * 1024;

/** Which rejects of a file are meant. */
export type RejectChoice = Omit<ReplayInput, "settings"> & {
  /** Only those whose conflict is over: no record holds their event with other content any more. */
  onlyUncontradicted?: boolean;
};

/**
 * Validates open rejects of a loaded file again, a few hundred at a time, each batch in one transaction with its counts.
 * What is replayed already is not open any more, so a further attempt goes on where this one stopped.
 *
 * @param deps What activities work with.
 * @param which Which file, and which of its rejects.
 * @throws Terminal failure `NotLoaded` when the file is not loaded (any more).
 */
export async function replayRejects(
  deps: ActivityDeps,
  which: RejectChoice,
): Promise<ReplayResult> {
  const { sql } = deps;
  const { fileId } = which;
  const file = await readPlannedFile(sql, fileId, { firstChunk: 0, endChunk: 0 });
  const contract = contractOf(deps, file.feed);
  const mapped = mapPlannedHeader(contract, file.header ?? []);
  if (!mapped.ok) {
    throw ApplicationFailure.nonRetryable(
      `Cannot replay rejects of file ${fileId}: it was never loaded`,
      "NotLoaded",
    );
  }
  const sum: ReplayResult = { loaded: 0, duplicates: 0, open: 0, truncated: 0, tooLong: 0 };
  await using whole = file.dialect.expanded ? undefined : await openArchived(file.archivePath);
  const options = { ...file, contract, mapping: mapped.mapping };
  for (let after = 0;;) {
    let queue = await listOpenRejects(sql, { ...which, after, limit: REJECTS_PER_TRANSACTION });
    const last = queue.at(-1);
    if (last === undefined) break;
    after = last.rejectId;
    while (queue.length > 0) {
      heartbeatAndCheck({ fileId, after });
      const some = firstOf(queue, BYTES_PER_TRANSACTION);
      const again = validateAgain(await readable(some, whole, sum), options);
      await ensureMonths(sql, again.batch.accepted.eventMicros.items());
      const rememberProducts = await ensureProducts(sql, contract, again.batch);
      const { changed, ...replayed } = await replayBatch(sql, { fileId, contract, again });
      rememberProducts();
      add(sum, replayed);
      deps.onChange?.();
      queue = [...queue.slice(some.length), ...await readOpenRejects(sql, changed)];
    }
  }
  return sum;
}

function add(sum: ReplayResult, { loaded, duplicates, open }: Omit<Replayed, "changed">): void {
  sum.loaded += loaded;
  sum.duplicates += duplicates;
  sum.open += open;
}

/** At least one. */
function firstOf(rejects: readonly OpenReject[], maxBytes: number): OpenReject[] {
  let bytes = 0;
  const end = rejects.findIndex((reject, index) => {
    bytes += isTooLong(reject) ? 0 : reject.isCut ? reject.byteLength : reject.raw.length;
    return index > 0 && bytes > maxBytes;
  });
  return rejects.slice(0, end < 0 ? rejects.length : end);
}

/** Those whose whole record is at hand; the others are counted. */
async function readable(
  rejects: readonly OpenReject[],
  whole: FileHandle | undefined,
  sum: ReplayResult,
): Promise<OpenReject[]> {
  const found: OpenReject[] = [];
  for (const reject of rejects) {
    if (isTooLong(reject)) {
      sum.tooLong++;
      continue;
    }
    const complete = await completeRaw(reject, whole);
    if (complete === undefined) sum.truncated++;
    else found.push(complete);
  }
  return found;
}

/** No contract will ever take it, and its length has no bound; a correction stands for itself. */
function isTooLong({ isCut, byteLength }: OpenReject): boolean {
  return isCut && byteLength > CSV_LIMITS.maxRecordBytes;
}

/** Of a record beyond the quarantine's cap the rest lies in the archived file. */
async function completeRaw(
  reject: OpenReject,
  whole: FileHandle | undefined,
): Promise<OpenReject | undefined> {
  if (!reject.isCut) return reject;
  if (whole === undefined) return undefined;
  const raw = new Uint8Array(reject.byteLength);
  const { bytesRead } = await whole.read(raw, 0, raw.length, reject.byteStart);
  const begins = reject.raw.every((byte, index) => raw[index] === byte);
  return bytesRead === raw.length && begins ? { ...reject, raw, isCut: false } : undefined;
}

async function openArchived(path: string | null): Promise<FileHandle | undefined> {
  return path === null ? undefined : await open(path, "r").catch(() => undefined);
}
