import { createReadStream, existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { landFile } from "../activities/land_file.ts";
import { landInPlace } from "../activities/land_in_place.ts";
import { FaultPlanter } from "../domain/generator/fault_planter.ts";
import type { FaultShares } from "../domain/generator/fault_shares.ts";
import { drawFileFault, type FileFault } from "../domain/generator/file_fault.ts";
import { formatFileName } from "../domain/generator/file_name.ts";
import type { Profile } from "../domain/generator/profile.ts";
import { REES46 } from "../domain/generator/rees46.ts";
import { RowSource } from "../domain/generator/row_source.ts";
import { faultyChunks, soundChunks } from "./generate/bulk_chunks.ts";

/** What to write, and where. */
export interface BulkOptions {
  /** Made if it does not exist. */
  directory: string;
  /** Events in all, exactly; planted duplicates are not counted. */
  rows: number;
  /** 1 by default. */
  files?: number;
  /** Compressed, under names that end in `.gz`. */
  gzip?: boolean;
  /** 1 by default. */
  seed?: number;
  profile?: Profile;
  /** Time of the first event, epoch milliseconds; 2024-01-01 by default. */
  from?: number;
  /** None by default. */
  faults?: FaultShares;
  /** Directory for the ground truth, a file for each that has faults; `directory` with `.truth` by default. */
  truth?: string;
  /** Aborting stops within a chunk; whole files stay, nothing else. */
  signal?: AbortSignal;
  /** Called a few times a second. */
  onProgress?: (progress: BulkProgress) => void;
}

/** How far it is. */
export interface BulkProgress {
  rows: number;
  totalRows: number;
  /** Of CSV text, before compression. */
  bytes: number;
  elapsedMs: number;
  /** Since the start. */
  rowsPerSecond: number;
  /** At this rate. */
  remainingMs: number;
}

/** How long the rows of a bulk spread over: the period that the profile's figures are about. */
const PERIOD_MS = 28 * 86_400_000;
/** Time of the first event where nobody chooses one. */
export const DEFAULT_FROM = Date.UTC(2024, 0, 1);
const PROGRESS_MS = 250;

/**
 * Writes many events at once, without Temporal: 28 days of a shop as busy as it takes.
 *
 * @returns The last progress, and the paths of the files.
 */
export async function generateBulk(
  options: BulkOptions,
): Promise<BulkProgress & { paths: string[] }> {
  const { directory, rows, files = 1, gzip = false, signal, onProgress } = options;
  const { seed = 1, profile = REES46, from = DEFAULT_FROM, faults = {} } = options;
  const { truth = `${directory.replace(/\/+$/, "")}.truth` } = options;
  const names = Array.from({ length: files }, (_, sequence) => {
    const feedTime = from + PERIOD_MS * (sequence + 1) / files;
    return formatFileName({ feedTime, sequence, gzip });
  });
  const paths = names.map((name) => join(directory, name));
  await mkdir(directory, { recursive: true });
  const taken = paths.find((path) => existsSync(path));
  if (taken !== undefined) {
    throw new Error(`Cannot write ${taken}: it exists; remove it or choose another directory`);
  }

  const meter = startMeter(rows, onProgress);
  const source = new RowSource({ seed, profile, from, eventsPerMs: rows / PERIOD_MS });
  const longestDelayMs = PERIOD_MS / files;
  const planter = new FaultPlanter({ seed, shares: faults, longestDelayMs });
  const isFaulty = Object.keys(faults).length > 0;
  for (const [sequence, name] of names.entries()) {
    const first = Math.floor(rows * sequence / files);
    const count = Math.floor(rows * (sequence + 1) / files) - first;
    const file = { source, count, onWritten: meter.count };
    const fault = drawFileFault({ seed, sequence, shares: faults, name });
    const isLast = sequence === files - 1;
    const landTruth = (lines: string) => landText(truth, `${name}.jsonl`, lines);
    const chunks = isFaulty
      ? faultyChunks(file, { planter, name, fault, isLast, landTruth })
      : soundChunks(file);
    await land(directory, name, gzip ? compressed(chunks) : chunks, { fault, signal });
  }
  return { ...meter.finish(), paths };
}

async function land(
  directory: string,
  name: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { fault: { kind, copyName }, signal }: { fault: FileFault; signal: AbortSignal | undefined },
): Promise<void> {
  const path = join(directory, name);
  const options = signal === undefined ? {} : { signal };
  if (kind === "half_written_file") {
    try {
      await landInPlace(directory, name, chunks, options);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  } else if (!(await landFile(directory, name, chunks, options)).landed) {
    throw new Error(`Cannot write ${name}: another program has written it meanwhile`);
  }
  if (copyName !== null) await landFile(directory, copyName, createReadStream(path), options);
}

async function landText(directory: string, name: string, text: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  // That of an earlier run is of other files: those were removed, or we would not be here.
  await rm(join(directory, name), { force: true });
  await landFile(directory, name, [new TextEncoder().encode(text)]);
}

function compressed(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const gzip = createGzip();
  // A failure destroys `gzip`, so whoever reads it gets the error.
  pipeline(Readable.from(chunks), gzip).catch(() => {});
  return gzip;
}

function startMeter(totalRows: number, onProgress: BulkOptions["onProgress"]) {
  const start = performance.now();
  let shown = start;
  let rows = 0;
  let bytes = 0;
  const progress = (): BulkProgress => {
    const elapsedMs = performance.now() - start;
    const rowsPerSecond = rows / elapsedMs * 1000;
    const remainingMs = rows === 0 ? Infinity : (totalRows - rows) / rowsPerSecond * 1000;
    return { rows, totalRows, bytes, elapsedMs, rowsPerSecond, remainingMs };
  };
  return {
    count(writtenRows: number, writtenBytes: number): void {
      rows += writtenRows;
      bytes += writtenBytes;
      const now = performance.now();
      if (now - shown < PROGRESS_MS) return;
      shown = now;
      onProgress?.(progress());
    },
    finish(): BulkProgress {
      const last = progress();
      onProgress?.(last);
      return last;
    },
  };
}
