import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { ApplicationFailure } from "@temporalio/common";
import { FAULT_CODES } from "../domain/faults.ts";
import type { Span } from "../domain/ingest_api.ts";
import type { Counts } from "../domain/ledger.ts";
import { mapHeader } from "../domain/map_header.ts";
import { readChunk } from "../domain/read_chunk.ts";
import { activityAttempt, heartbeatAndCheck } from "./activity_context.ts";
import { contractOf } from "./contract_of.ts";
import type { ActivityDeps } from "./create_activities.ts";
import { sqlstateOf } from "./database.ts";
import { openVersion } from "./open_version.ts";
import { loadChunk } from "./statements/load_chunk.ts";
import { ensureMonths, forgetMonths } from "./statements/ensure_months.ts";
import { type PlannedFile, readPlannedFile } from "./statements/read_planned_file.ts";
import { checkErrorBudget } from "./statements/check_error_budget.ts";

/** Quarantine keeps this much of a record; the rest can be read from the archived file by its offset. */
const MAX_RAW_BYTES = 64 * 1024;

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
  const sum: Counts = { records: 0, loaded: 0, duplicates: 0, rejected: 0 };
  const handle = await openPlanned(file);
  try {
    for (const chunk of file.chunks) {
      heartbeatAndCheck({ fileId, chunkNo: chunk.chunkNo });
      await deps.hooks?.beforeChunk?.(fileId, chunk.chunkNo);
      const bytes = await readVerified(handle, file, chunk);
      add(sum, await loadVerified(deps, span, file, chunk, bytes));
    }
  } finally {
    await handle.close();
  }
  await checkErrorBudget(deps.sql, fileId, deps.errorBudget);
  return sum;
}

async function openPlanned(file: PlannedFile): Promise<FileHandle> {
  const opened = await openVersion(file);
  if ("handle" in opened) return opened.handle;
  throw fileChanged(file, FAULT_CODES[opened.fault].message);
}

async function readVerified(
  handle: FileHandle,
  file: PlannedFile,
  { byteStart, byteEnd, checksum, chunkNo }: PlannedFile["chunks"][number],
): Promise<Uint8Array> {
  const bytes = new Uint8Array(byteEnd - byteStart);
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(
      bytes,
      filled,
      bytes.length - filled,
      byteStart + filled,
    );
    if (bytesRead === 0) throw fileChanged(file, `it ends within chunk ${chunkNo}`);
    filled += bytesRead;
  }
  if (createHash("sha256").update(bytes).digest("hex").slice(0, 32) === checksum) return bytes;
  throw fileChanged(file, `the bytes of chunk ${chunkNo} differ`);
}

async function loadVerified(
  deps: ActivityDeps,
  { claim }: Span,
  file: PlannedFile,
  chunk: PlannedFile["chunks"][number],
  bytes: Uint8Array,
): Promise<Counts> {
  const contract = contractOf(deps, file.feed);
  const mapped = mapHeader(contract, file.header);
  if (!mapped.ok) throw fileChanged(file, "its header no longer fits the contract");
  const batch = readChunk(bytes, {
    contract,
    dialect: file.dialect,
    mapping: mapped.mapping,
    discoveredAt: file.discoveredAt,
    firstLine: chunk.firstLine,
    byteStart: chunk.byteStart,
  });
  const ready = {
    fileId: claim.fileId,
    epoch: claim.epoch,
    chunkNo: chunk.chunkNo,
    attempt: activityAttempt(),
    worker: deps.worker,
    contract,
    batch,
    rawOf: (byteStart: number, byteLength: number) =>
      bytes.subarray(
        byteStart - chunk.byteStart,
        byteStart - chunk.byteStart + Math.min(byteLength, MAX_RAW_BYTES),
      ),
  };
  for (let attempt = 1;; attempt++) {
    await ensureMonths(deps.sql, batch.accepted.eventTimes);
    await deps.hooks?.beforeChunkTransaction?.(claim.fileId, chunk.chunkNo);
    try {
      return await loadChunk(deps.sql, ready);
    } catch (error) {
      // A month was dropped after it was made sure of, or two transactions met: both are over when tried again.
      const sqlstate = sqlstateOf(error) ?? "";
      if (sqlstate === "23514") forgetMonths(deps.sql);
      else if (sqlstate !== "40P01" && sqlstate !== "40001") throw error;
      if (attempt === MAX_TRANSACTION_ATTEMPTS) throw error;
    }
  }
}

const MAX_TRANSACTION_ATTEMPTS = 3;

function fileChanged({ identity }: PlannedFile, state: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `Cannot read ${identity.path} as it was inspected: ${state}`,
    "FileChanged",
  );
}

function add(sum: Counts, counts: Counts): void {
  sum.records += counts.records;
  sum.loaded += counts.loaded;
  sum.duplicates += counts.duplicates;
  sum.rejected += counts.rejected;
}
