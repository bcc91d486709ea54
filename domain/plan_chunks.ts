import { createHash } from "node:crypto";
import { ChunkHash } from "./_chunk_hash.ts";
import { FieldReader } from "./_field_reader.ts";
import type { RecordBorders } from "./_record_borders.ts";
import { RecordStream, WINDOW_BYTES } from "./_record_stream.ts";
import { detectDialect, DIALECT_SAMPLE_BYTES } from "./detect_dialect.ts";
import { CSV_LIMITS, type CsvDialect, type CsvLimits, type CsvRecord } from "./scan_csv.ts";

/**
 * Chunks are cut at the first record border at or past this many bytes: 2 MiB. Larger ones take more of the processor
 * and of memory for each record, smaller ones more transactions.
 */
export const CHUNK_BYTES = 2 * 1024 * 1024;

/** Largest target size that may be set: a chunk is held in memory while it is loaded. */
export const MAX_CHUNK_BYTES = 64 * 1024 * 1024;

/** Most records of a chunk: short records are as many rejects or rows in one transaction, which has its time limit. */
export const MAX_CHUNK_RECORDS = 50_000;

/** Room for the last record of a chunk that is kept to be hashed; hardly any record is longer. */
const LAST_RECORD_BYTES = 64 * 1024;

/** A byte range of one file, cut at record borders. */
export interface PlannedChunk {
  /** Counts from 0. */
  chunkNo: number;
  /** Absolute offsets in the (expanded, UTF-8) file; the end is exclusive. */
  byteStart: number;
  byteEnd: number;
  /** Physical line number at `byteStart`. */
  firstLine: number;
  /** Records that begin in it, those at fault included. */
  records: number;
  /** First 16 bytes of the sha-256 of its bytes, in hex. */
  checksum: string;
}

/** What one pass over a file tells. */
export interface FilePlan {
  /** Of the whole file, in hex. */
  sha256: string;
  sizeBytes: number;
  dialect: CsvDialect;
  /** First record of the file, possibly at fault; null when there is none. */
  header: CsvRecord | null;
  /** Whether the last byte ends a line; a last record without that, or with a quote still open, may have been cut. */
  endsWithNewline: boolean;
  /** Records behind the header. */
  records: number;
  chunks: PlannedChunk[];
}

/** How a file is cut. */
export interface PlanOptions {
  /** {@linkcode CHUNK_BYTES} by default. */
  chunkBytes?: number;
  /** {@linkcode CSV_LIMITS} by default. */
  limits?: CsvLimits;
  /** Bytes looked at in one go; the plan does not depend on it. */
  windowBytes?: number;
}

/**
 * Plans the chunks of a file from its blocks, in one pass and in constant memory, without decoding
 * any record but the header. Chunks follow one another from the end of the header's line to the
 * end of the file without gap or overlap. A record longer than the limit gets a chunk of its own,
 * so that every other chunk is shorter than `chunkBytes` and one record, and fits in memory.
 *
 * @example
 * ```ts
 * import { ChunkPlanner } from "./plan_chunks.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const planner = new ChunkPlanner({ chunkBytes: 8 });
 * await planner.push(new TextEncoder().encode("id,name\n1,Chair\n2,Desk\n"));
 * const { header, chunks } = await planner.end();
 * deepEqual(header?.fields, ["id", "name"]);
 * deepEqual(chunks.map((chunk) => [chunk.byteStart, chunk.byteEnd]), [[8, 16], [16, 23]]);
 * ```
 */
export class ChunkPlanner {
  readonly #chunkBytes: number;
  readonly #limits: CsvLimits;
  readonly #windowBytes: number;
  readonly #fileHash = createHash("sha256");
  #sizeBytes = 0;
  #lastByte = 0;

  /** Start of the file, until there is enough to tell the dialect. */
  readonly #sample = new Uint8Array(DIALECT_SAMPLE_BYTES);
  #sampled = 0;
  #dialect: CsvDialect = { delimiter: ",", bomBytes: 0 };
  #stream: RecordStream | undefined;

  #header: CsvRecord | null = null;
  #records = 0;

  /** The chunk being filled, and how far its bytes have been hashed. */
  #byteStart = 0;
  #firstLine = 1;
  #chunkRecords = 0;
  readonly #chunkHash: ChunkHash;
  #hashedTo = 0;
  readonly #chunks: Promise<PlannedChunk>[] = [];

  constructor(
    { chunkBytes = CHUNK_BYTES, limits = CSV_LIMITS, windowBytes = WINDOW_BYTES }: PlanOptions = {},
  ) {
    this.#chunkBytes = chunkBytes;
    this.#chunkHash = new ChunkHash(Math.min(chunkBytes, CHUNK_BYTES) + LAST_RECORD_BYTES);
    this.#limits = limits;
    this.#windowBytes = windowBytes;
  }

  /**
   * Takes the next block, which the caller may overwrite at once. To wait before the next one is
   * pushed bounds the memory of chunks that are still being hashed.
   */
  async push(block: Uint8Array): Promise<void> {
    if (block.length === 0) return;
    this.#fileHash.update(block);
    this.#sizeBytes += block.length;
    this.#lastByte = block[block.length - 1]!;
    const stream = this.#stream;
    if (stream !== undefined) stream.push(block);
    else {
      const sampled = block.subarray(0, this.#sample.length - this.#sampled);
      this.#sample.set(sampled, this.#sampled);
      this.#sampled += sampled.length;
      if (this.#sampled === this.#sample.length) {
        this.#start().push(block.subarray(sampled.length));
      }
    }
    await this.#chunks.at(-2);
  }

  /** Says that the file ends here, and tells the rest of the plan. */
  async end(): Promise<FilePlan> {
    const stream = this.#stream ?? this.#start();
    stream.end();
    if (this.#header !== null && this.#sizeBytes > this.#byteStart) this.#cutAt(this.#sizeBytes);
    return {
      sha256: this.#fileHash.digest("hex"),
      sizeBytes: this.#sizeBytes,
      dialect: this.#dialect,
      header: this.#header,
      endsWithNewline: !stream.endsInQuote && (this.#lastByte === 0x0a || this.#lastByte === 0x0d),
      records: this.#records,
      chunks: await Promise.all(this.#chunks),
    };
  }

  #start(): RecordStream {
    const sample = this.#sample.subarray(0, this.#sampled);
    this.#dialect = detectDialect(sample);
    const options = {
      dialect: this.#dialect,
      limits: this.#limits,
      windowBytes: this.#windowBytes,
    };
    const stream = new RecordStream(options, {
      onLine: (borders) => this.#addLine(borders),
      onSettled: (borders) => this.#addSettled(borders),
    });
    this.#stream = stream;
    stream.push(sample);
    return stream;
  }

  #addLine(borders: RecordBorders): void {
    const { byteStart, byteEnd, byteNext } = borders;
    const isBlank = byteStart === byteEnd;
    if (this.#header === null) {
      if (isBlank) return;
      this.#header = this.#readHeader(borders);
      this.#startChunk(byteNext, borders.nextLine);
      this.#hashedTo = byteNext;
      return;
    }
    const isOverlong = borders.fault === "record_too_long";
    if (isOverlong) this.#cutBefore(byteStart, borders, borders.line);
    if (!isBlank) this.#chunkRecords++;
    const isFull = byteNext - this.#byteStart >= this.#chunkBytes ||
      this.#chunkRecords >= MAX_CHUNK_RECORDS;
    if (isOverlong || isFull) {
      this.#cutBefore(byteNext, borders, borders.nextLine);
    }
  }

  /** Hashes what the window is about to lose. */
  #addSettled(borders: RecordBorders): void {
    if (this.#header === null) return;
    if (borders.skipping >= 0) this.#cutBefore(borders.skipping, borders, borders.nextLine);
    this.#hash(borders, borders.settled);
  }

  #cutBefore(byteEnd: number, borders: RecordBorders, nextLine: number): void {
    if (byteEnd === this.#byteStart) return;
    this.#hash(borders, byteEnd);
    this.#cutAt(byteEnd);
    this.#startChunk(byteEnd, nextLine);
  }

  #cutAt(byteEnd: number): void {
    const chunk = {
      chunkNo: this.#chunks.length,
      byteStart: this.#byteStart,
      byteEnd,
      firstLine: this.#firstLine,
      records: this.#chunkRecords,
    };
    const hashed = this.#chunkHash.end();
    this.#chunks.push(hashed.then((sha256) => ({ ...chunk, checksum: sha256.slice(0, 32) })));
    this.#records += this.#chunkRecords;
  }

  #startChunk(byteStart: number, firstLine: number): void {
    this.#byteStart = byteStart;
    this.#firstLine = firstLine;
    this.#chunkRecords = 0;
  }

  #hash({ bytes, base }: RecordBorders, byteEnd: number): void {
    this.#chunkHash.update(bytes.subarray(this.#hashedTo - base, byteEnd - base));
    this.#hashedTo = byteEnd;
  }

  #readHeader(borders: RecordBorders): CsvRecord {
    const reader = new FieldReader(this.#dialect.delimiter, this.#limits.maxColumns);
    reader.load(borders);
    return reader.toRecord(borders);
  }
}

/** The plan of a file that is in memory as a whole. */
export async function planBytes(bytes: Uint8Array, options?: PlanOptions): Promise<FilePlan> {
  const planner = new ChunkPlanner(options);
  await planner.push(bytes);
  return await planner.end();
}
