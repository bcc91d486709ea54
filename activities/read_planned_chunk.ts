import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { ApplicationFailure } from "@temporalio/common";
import { AcceptedRecords } from "../domain/accepted_records.ts";
import type { Contract } from "../domain/contract.ts";
import { mapPlannedHeader } from "../domain/map_planned_header.ts";
import { type ChunkBatch, readChunkInSteps } from "../domain/read_chunk.ts";
import { MAX_CHUNK_BYTES } from "../domain/plan_chunks.ts";
import { CSV_LIMITS } from "../domain/scan_csv.ts";
import { sha256Aside } from "../domain/sha256_aside.ts";
import { inTurn } from "./in_turn.ts";
import type { PlannedFile } from "./statements/read_planned_file.ts";

/** Quarantine keeps this much of a record; the rest can be read from the archived file by its offset. */
export const MAX_RAW_BYTES = 64 * 1024;

/** Bytes per read of a chunk that is not held in memory as a whole. */
const READ_BYTES = 1024 * 1024;

/** The largest target size of a chunk, and one record and its line end beyond it. */
export const LARGEST_CHUNK_BYTES = MAX_CHUNK_BYTES + CSV_LIMITS.maxRecordBytes + 2;

type PlannedChunk = PlannedFile["chunks"][number];

/** A chunk whose bytes are those that were planned, validated. */
export interface VerifiedChunk {
  batch: ChunkBatch;
  /** Raw bytes of a record, given its offset and length, cut to {@linkcode MAX_RAW_BYTES}. */
  rawOf: (byteStart: number, byteLength: number) => Uint8Array;
}

/**
 * Reads the bytes of a chunk, compares them with the plan's checksum, and validates their records.
 *
 * @param handle The file, open.
 * @param options Its row, the chunk of the plan, and its contract.
 * @throws Terminal failure `FileChanged`.
 */
export async function readPlannedChunk(
  handle: FileHandle,
  { file, chunk, contract, memory }: {
    file: PlannedFile;
    chunk: PlannedChunk;
    contract: Contract;
    /** Where the bytes go, if they have room: of one chunk after the other. */
    memory?: Uint8Array<ArrayBuffer>;
  },
): Promise<VerifiedChunk> {
  const { byteStart, byteEnd, firstLine } = chunk;
  // Only a record beyond the cap, which the plan gives a chunk of its own, can be as large as this.
  if (byteEnd - byteStart > LARGEST_CHUNK_BYTES) {
    return await readOverlongRecord(handle, file, chunk);
  }
  const length = byteEnd - byteStart;
  const bytes = memory !== undefined && length <= memory.length
    ? memory.subarray(0, length)
    : new Uint8Array(length);
  await readRange(handle, file, chunk, byteStart, bytes);
  // While this thread waits for its turn and reads the records.
  const hashing = sha256Aside(bytes);
  const mapped = mapPlannedHeader(contract, file.header);
  if (!mapped.ok) throw fileChanged(file, "its header no longer fits the contract");
  const options = {
    contract,
    dialect: file.dialect,
    mapping: mapped.mapping,
    discoveredAt: file.discoveredAt,
    firstLine,
    byteStart,
  };
  const [sha256, batch] = await Promise.all([
    hashing,
    inTurn(() => readChunkInSteps(bytes, options)),
  ]);
  verify(sha256, file, chunk);
  const rawOf = (start: number, length: number) => {
    const offset = start - byteStart;
    return bytes.subarray(offset, offset + Math.min(length, MAX_RAW_BYTES));
  };
  return { batch, rawOf };
}

/** Terminal: the version of the file that was planned cannot be read any more. */
export function fileChanged({ identity }: PlannedFile, state: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `Cannot read ${identity.path} as it was inspected: ${state}`,
    "FileChanged",
  );
}

async function readOverlongRecord(
  handle: FileHandle,
  file: PlannedFile,
  chunk: PlannedChunk,
): Promise<VerifiedChunk> {
  const { byteStart, byteEnd, firstLine } = chunk;
  const hash = createHash("sha256");
  const block = new Uint8Array(READ_BYTES);
  let raw: Uint8Array | undefined;
  let lastBytes: Uint8Array = block;
  for (let offset = byteStart; offset < byteEnd; offset += block.length) {
    const part = block.subarray(0, Math.min(block.length, byteEnd - offset));
    await readRange(handle, file, chunk, offset, part);
    hash.update(part);
    raw ??= part.slice(0, MAX_RAW_BYTES);
    lastBytes = part;
  }
  verify(hash.digest("hex"), file, chunk);
  const byteLength = byteEnd - byteStart - lineEndLength(lastBytes);
  const reject = {
    line: firstLine,
    byteStart,
    byteLength,
    faults: [{ code: "record_too_long" as const }],
  };
  return {
    batch: { records: 1, accepted: new AcceptedRecords(), rejects: [reject] },
    rawOf: () => raw ?? block,
  };
}

function lineEndLength(bytes: Uint8Array): number {
  const last = bytes.at(-1);
  if (last === 0x0d) return 1;
  if (last !== 0x0a) return 0;
  return bytes.at(-2) === 0x0d ? 2 : 1;
}

async function readRange(
  handle: FileHandle,
  file: PlannedFile,
  { chunkNo }: PlannedChunk,
  offset: number,
  into: Uint8Array,
): Promise<void> {
  for (let filled = 0; filled < into.length;) {
    const { bytesRead } = await handle.read(into, filled, into.length - filled, offset + filled);
    if (bytesRead === 0) throw fileChanged(file, `it ends within chunk ${chunkNo}`);
    filled += bytesRead;
  }
}

function verify(sha256: string, file: PlannedFile, { chunkNo, checksum }: PlannedChunk): void {
  if (sha256.slice(0, checksum.length) === checksum) return;
  throw fileChanged(file, `the bytes of chunk ${chunkNo} differ`);
}
