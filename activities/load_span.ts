import type { Contract } from "../domain/contract.ts";
import type { Span } from "../domain/ingest_api.ts";
import type { Counts } from "../domain/ledger.ts";
import { activityAttempt, heartbeatAndCheck } from "./activity_context.ts";
import { contractOf } from "./contract_of.ts";
import type { ActivityDeps } from "./create_activities.ts";
import { sqlstateOf } from "./database.ts";
import { openPlanned } from "./open_planned.ts";
import { LARGEST_CHUNK_BYTES, readPlannedChunk, type VerifiedChunk } from "./read_planned_chunk.ts";
import { loadChunk, type ReadyChunk } from "./statements/load_chunk.ts";
import { ensureMonths, forgetMonths } from "./statements/ensure_months.ts";
import { ensureProducts } from "./statements/ensure_products.ts";
import { type PlannedFile, readPlannedFile } from "./statements/read_planned_file.ts";
import { checkErrorBudget } from "./statements/check_error_budget.ts";

/**
 * Loads the chunks of a span that are not committed yet: where an attempt before stopped is read from the ledger.
 *
 * @param deps What activities work with.
 * @param span Which chunks of which claim.
 * @returns What became of the records of the span.
 * @throws Terminal failures `FileChanged`, `StaleClaim`, `ErrorBudgetExceeded`.
 */
export async function loadSpan(deps: ActivityDeps, span: Span): Promise<Counts> {
  const { fileId } = span.claim;
  const file = await readPlannedFile(deps.sql, fileId, span);
  // Whatever became of a file whose chunks are all committed: nothing of it is read any more.
  const counts = file.chunks.length === 0 ? { ...NO_RECORDS } : await loadOpen(deps, span, file);
  await checkErrorBudget(deps.sql, fileId, deps.errorBudget);
  return counts;
}

const NO_RECORDS: Counts = { records: 0, loaded: 0, duplicates: 0, rejected: 0 };

async function loadOpen(deps: ActivityDeps, span: Span, file: PlannedFile): Promise<Counts> {
  const { fileId } = file;
  const contract = contractOf(deps, file.feed);
  const sum = { ...NO_RECORDS };
  const known = { hasOldEvents: file.hasOldEvents };
  const memory = new Uint8Array(longestChunk(file));
  const handle = await openPlanned(deps, file);
  try {
    for (const chunk of file.chunks) {
      heartbeatAndCheck({ fileId, chunkNo: chunk.chunkNo });
      await deps.hooks?.beforeChunk?.(fileId, chunk.chunkNo);
      const verified = await readPlannedChunk(handle, { file, chunk, contract, memory });
      using _records = verified.batch.accepted;
      add(
        sum,
        await loadVerified(deps, span, { chunkNo: chunk.chunkNo, contract, known, verified }),
      );
    }
  } finally {
    await handle.close();
  }
  return sum;
}

/** Bytes of the largest chunk that is read as a whole. */
function longestChunk({ chunks }: PlannedFile): number {
  const lengths = chunks.map(({ byteStart, byteEnd }) => byteEnd - byteStart);
  return Math.max(0, ...lengths.filter((length) => length <= LARGEST_CHUNK_BYTES));
}

async function loadVerified(
  deps: ActivityDeps,
  { claim }: Span,
  { chunkNo, contract, known, verified: { batch, rawOf } }: {
    chunkNo: number;
    contract: Contract;
    /** What the chunks of the file have told so far: where one has events that are there already, others will. */
    known: { hasOldEvents: boolean };
    verified: VerifiedChunk;
  },
): Promise<Counts> {
  const ready: Omit<ReadyChunk, "hasOldEvents"> = {
    fileId: claim.fileId,
    epoch: claim.epoch,
    chunkNo,
    attempt: activityAttempt(),
    worker: deps.worker,
    contract,
    batch,
    rawOf,
    leastRowsToCopy: deps.leastRowsToCopy,
  };
  for (let attempt = 1;; attempt++) {
    await ensureMonths(deps.sql, batch.accepted.eventMicros.items());
    const rememberProducts = await ensureProducts(deps.sql, contract, batch);
    await deps.hooks?.beforeChunkTransaction?.(claim.fileId, chunkNo);
    try {
      const startedAt = performance.now();
      const counts = await loadChunk(deps.sql, { ...ready, ...known });
      rememberProducts();
      deps.onChunk?.((performance.now() - startedAt) / 1000);
      deps.onChange?.();
      return counts;
    } catch (error) {
      // A month was dropped after it was made sure of, or two transactions met: both are over when tried again.
      const sqlstate = sqlstateOf(error) ?? "";
      if (sqlstate === "23505" && !known.hasOldEvents) known.hasOldEvents = true;
      else if (sqlstate === "23514") forgetMonths(deps.sql);
      else if (sqlstate !== "40P01" && sqlstate !== "40001") throw error;
      if (attempt === MAX_TRANSACTION_ATTEMPTS) throw error;
    }
  }
}

const MAX_TRANSACTION_ATTEMPTS = 3;

function add(sum: Counts, counts: Counts): void {
  sum.records += counts.records;
  sum.loaded += counts.loaded;
  sum.duplicates += counts.duplicates;
  sum.rejected += counts.rejected;
}
