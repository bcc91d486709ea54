import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { landFile } from "../activities/land_file.ts";
import { createCatalog } from "../domain/generator/create_catalog.ts";
import { type EventRow, EventStream } from "../domain/generator/event_stream.ts";
import { formatFileName } from "../domain/generator/file_name.ts";
import type { Profile } from "../domain/generator/profile.ts";
import type { RateHistory } from "../domain/generator/rate_history.ts";
import { REES46 } from "../domain/generator/rees46.ts";
import { EVENT_HEADER, writeEvents } from "../domain/generator/write_events.ts";

/** What to write, and where. */
export interface BulkOptions {
  /** Made if it does not exist. */
  directory: string;
  /** Events in all, exactly. */
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
const DEFAULT_FROM = Date.UTC(2024, 0, 1);
/** Few enough that a window's rows die young, which the garbage collector is fast at. */
const ROWS_PER_WINDOW = 4000;
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
  const { seed = 1, profile = REES46, from = DEFAULT_FROM } = options;
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
  for (const [sequence, name] of names.entries()) {
    const first = Math.floor(rows * sequence / files);
    const count = Math.floor(rows * (sequence + 1) / files) - first;
    const chunks = fileChunks(source, count, meter.count);
    const { landed } = await landFile(
      directory,
      name,
      gzip ? compressed(chunks) : chunks,
      signal === undefined ? {} : { signal },
    );
    if (!landed) throw new Error(`Cannot write ${name}: another program has written it meanwhile`);
  }
  return { ...meter.finish(), paths };
}

/** The events of the period, as many as asked for at a time. */
class RowSource {
  private readonly rates: RateHistory;
  private readonly windowMs: number;
  private readonly stream: EventStream;
  private position: number;
  private rest: EventRow[] = [];

  constructor(
    { seed, profile, from, eventsPerMs }: {
      seed: number;
      profile: Profile;
      from: number;
      eventsPerMs: number;
    },
  ) {
    this.rates = [{ from, eventsPerSecond: eventsPerMs * 1000 }];
    this.windowMs = Math.max(1, Math.round(ROWS_PER_WINDOW / eventsPerMs));
    this.position = from;
    const catalog = createCatalog(seed, profile);
    this.stream = new EventStream({ seed, profile, catalog }, this.rates, from);
  }

  /** From one to `most` events. */
  take(most: number): EventRow[] {
    while (this.rest.length === 0) {
      this.position += this.windowMs;
      this.rest = this.stream.read(this.rates, this.position);
    }
    const taken = this.rest.slice(0, most);
    this.rest = this.rest.slice(most);
    return taken;
  }
}

function* fileChunks(
  source: RowSource,
  count: number,
  onWritten: (rows: number, bytes: number) => void,
): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  yield encoder.encode(EVENT_HEADER);
  for (let left = count; left > 0;) {
    const rows = source.take(left);
    const chunk = encoder.encode(writeEvents(rows));
    yield chunk;
    left -= rows.length;
    onWritten(rows.length, chunk.length);
  }
}

function compressed(chunks: Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
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
