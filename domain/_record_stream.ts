import { RecordBorders } from "./_record_borders.ts";
import { CSV_LIMITS, type ScanOptions } from "./scan_csv.ts";

/** How many new bytes one window takes in: 128 KiB. Larger ones are no quicker, and their strings take more memory. */
export const WINDOW_BYTES = 128 * 1024;

/** What a stream's owner is told, each time with the search as it stands. */
export interface StreamHandlers {
  /** A new window is in `borders.bytes`. */
  onWindow?: (borders: RecordBorders) => void;
  /** A record or blank line was found. */
  onLine: (borders: RecordBorders) => void;
  /** The window is read; what stands before `borders.settled` is dropped next. */
  onSettled?: (borders: RecordBorders) => void;
}

/** Options of a scan, and the size of a window: {@linkcode WINDOW_BYTES} by default. */
export type StreamOptions = ScanOptions & { windowBytes?: number };

/**
 * Collects blocks of any size into windows of one size, so that many small blocks cost no more
 * than few large ones, and keeps the unfinished record at the end of one window for the next.
 */
export class RecordStream {
  readonly #borders: RecordBorders;
  readonly #handlers: StreamHandlers;
  /** Grows to have room for one window behind an unfinished record and a CR that may be half a CRLF. */
  #buffer = new Uint8Array();
  readonly #windowBytes: number;
  #filled = 0;
  #windowEnd: number;
  #bomBytesLeft: number;

  constructor(options: StreamOptions, handlers: StreamHandlers) {
    const { dialect, firstLine = 1, byteStart = 0, limits = CSV_LIMITS } = options;
    this.#handlers = handlers;
    this.#windowBytes = this.#windowEnd = options.windowBytes ?? WINDOW_BYTES;
    this.#bomBytesLeft = byteStart === 0 ? dialect.bomBytes : 0;
    this.#borders = new RecordBorders({
      delimiter: dialect.delimiter,
      maxRecordBytes: limits.maxRecordBytes,
      byteStart: byteStart + this.#bomBytesLeft,
      firstLine,
    });
  }

  /** Whether the input, if it has ended, did so within a quoted field. */
  get endsInQuote(): boolean {
    return this.#borders.endsInQuote;
  }

  push(block: Uint8Array): void {
    let taken = Math.min(this.#bomBytesLeft, block.length);
    this.#bomBytesLeft -= taken;
    while (taken < block.length) {
      const next = Math.min(block.length, taken + this.#windowEnd - this.#filled);
      this.#makeRoom(next - taken);
      this.#buffer.set(block.subarray(taken, next), this.#filled);
      this.#filled += next - taken;
      taken = next;
      if (this.#filled === this.#windowEnd) this.#scan(false);
    }
  }

  end(): void {
    this.#scan(true);
  }

  /** Sees to it that so many bytes more can be added: a small file takes little memory. */
  #makeRoom(bytes: number): void {
    const needed = this.#filled + bytes;
    if (needed <= this.#buffer.length) return;
    const more = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
    more.set(this.#buffer.subarray(0, this.#filled));
    this.#buffer = more;
  }

  #scan(final: boolean): void {
    const borders = this.#borders;
    const windowStart = borders.settled;
    borders.load(this.#buffer.subarray(0, this.#filled), final);
    this.#handlers.onWindow?.(borders);
    while (borders.advance()) this.#handlers.onLine(borders);
    this.#handlers.onSettled?.(borders);
    const settled = borders.settled - windowStart;
    this.#buffer.copyWithin(0, settled, this.#filled);
    this.#filled -= settled;
    this.#windowEnd = this.#filled + this.#windowBytes;
  }
}
