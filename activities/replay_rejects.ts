import { ApplicationFailure } from "@temporalio/common";
import { type FileHandle, open } from "node:fs/promises";
import { mapHeader } from "../domain/map_header.ts";
import type { ReplayInput, ReplayResult } from "../domain/ingest_api.ts";
import { heartbeatAndCheck } from "./activity_context.ts";
import { contractOf } from "./contract_of.ts";
import type { ActivityDeps } from "./create_activities.ts";
import { ensureMonths } from "./statements/ensure_months.ts";
import { ensureProducts } from "./statements/ensure_products.ts";
import { readPlannedFile } from "./statements/read_planned_file.ts";
import {
  listOpenRejects,
  type OpenReject,
  replayBatch,
  type Replayed,
  validateAgain,
} from "./statements/replay_rejects.ts";

/** Rejects a transaction: its locks are held for milliseconds. */
const REJECTS_PER_TRANSACTION = 500;

/**
 * Validates open rejects of a loaded file again, a few hundred at a time, each batch in one transaction with its counts.
 * What is replayed already is not open any more, so a further attempt goes on where this one stopped.
 *
 * @param deps What activities work with.
 * @param input Which file, and which of its rejects.
 * @throws Terminal failure `NotLoaded` when the file is not loaded (any more).
 */
export async function replayRejects(
  deps: ActivityDeps,
  { fileId, rejectId, code }: Omit<ReplayInput, "settings">,
): Promise<ReplayResult> {
  const { sql } = deps;
  const file = await readPlannedFile(sql, fileId, { firstChunk: 0, endChunk: 0 });
  const contract = contractOf(deps, file.feed);
  const mapped = mapHeader(contract, file.header ?? []);
  if (!mapped.ok) {
    throw ApplicationFailure.nonRetryable(
      `Cannot replay rejects of file ${fileId}: it was never loaded`,
      "NotLoaded",
    );
  }
  const sum: ReplayResult = { loaded: 0, duplicates: 0, open: 0, truncated: 0 };
  await using whole = file.dialect.expanded ? undefined : await openArchived(file.archivePath);
  for (let after = 0;;) {
    heartbeatAndCheck({ fileId, after });
    const rejects = await listOpenRejects(sql, {
      fileId,
      after,
      limit: REJECTS_PER_TRANSACTION,
      rejectId: rejectId ?? null,
      code: code ?? null,
    });
    const last = rejects.at(-1);
    if (last === undefined) break;
    after = last.rejectId;
    const readable: OpenReject[] = [];
    for (const reject of rejects) {
      const found = await completeRaw(reject, whole);
      if (found === undefined) sum.truncated++;
      else readable.push(found);
    }
    const again = validateAgain(readable, {
      contract,
      mapping: mapped.mapping,
      dialect: file.dialect,
      discoveredAt: file.discoveredAt,
    });
    await ensureMonths(sql, again.batch.accepted.eventTimes);
    await ensureProducts(sql, contract, again.batch);
    add(sum, await replayBatch(sql, { fileId, contract, again }));
    deps.onChange?.();
  }
  return sum;
}

function add(sum: ReplayResult, { loaded, duplicates, open }: Replayed): void {
  sum.loaded += loaded;
  sum.duplicates += duplicates;
  sum.open += open;
}

/** Of a record beyond the quarantine's cap the rest lies in the archived file; a correction stands for itself. */
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
