import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { detectEncoding } from "../domain/detect_dialect.ts";
import { Utf16Transcoder } from "../domain/transcode_utf16.ts";
import { type ByteRange, findZstdFrames } from "./zstd_frames.ts";

/** Bytes per read. */
const READ_BYTES = 1024 * 1024;

/** Why a file cannot be expanded; the same words as the fault codes of files. */
export type ExpandFault = "broken_compression" | "too_large_expanded";

/** Compression of a file, told by its name. */
export type Compression = "gzip" | "zstd" | null;

/** Where the expanded form of a file is kept while it is loaded. */
export function spoolPath(spool: string, fileId: number): string {
  return join(spool, `${fileId}.csv`);
}

/**
 * Writes the expanded form of a compressed or UTF-16 file into the spool, whole or not at all: offsets in plan, ledger and
 * quarantine are those of this form.
 *
 * @param handle The file as it landed.
 * @param options.name Its name, which tells the compression.
 * @param options.target Path in the spool.
 * @param options.maxBytes Cap on the expanded size.
 * @param options.onProgress Called now and then with the bytes read so far; may throw to stop.
 * @returns Hash of the file as it landed and its encoding, or why it cannot be expanded; null when it is plain UTF-8.
 */
export async function expandFile(
  handle: FileHandle,
  { name, target, maxBytes, onProgress }: {
    name: string;
    target: string;
    maxBytes: number;
    onProgress: (bytesRead: number) => void;
  },
): Promise<{ sha256: string; sizeBytes: number } | { fault: ExpandFault } | null> {
  const compression = compressionOf(name);
  if (compression === null && detectEncoding(await readStart(handle)) === "utf-8") return null;
  const { size } = await handle.stat();
  const ranges = compression === "zstd"
    ? await findZstdFrames(handle, size)
    : [{ start: 0, end: size }];
  if (ranges === null) return { fault: "broken_compression" };
  await mkdir(dirname(target), { recursive: true });
  // An attempt that was given up may still be writing: each has a part of its own, and all of them the same bytes.
  const part = `${target}.${randomUUID()}.part`;
  const spool = await open(part, "w");
  const writer = new TextWriter(spool, maxBytes);
  try {
    const sha256 = await hashFile(handle, onProgress);
    for (const range of ranges) {
      const source = readRange(handle, range, onProgress);
      await decompress(source, compression, (text) => writer.writeAll(text));
    }
    await writer.end();
    await asOwn(() => rename(part, target));
    return { sha256, sizeBytes: size };
  } catch (error) {
    if (!(error instanceof OwnError)) return { fault: "broken_compression" };
    if (error.cause instanceof TooLarge) return { fault: "too_large_expanded" };
    throw error.cause;
  } finally {
    await spool.close();
    await rm(part, { force: true });
  }
}

/** Compression that a name asks for. */
export function compressionOf(name: string): Compression {
  if (/\.gz$/i.test(name)) return "gzip";
  return /\.zst$/i.test(name) ? "zstd" : null;
}

class TooLarge extends Error {}

/** An error of reading, writing or stopping, told from those of the decompressor, which have no common mark. */
class OwnError extends Error {}

async function asOwn<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof OwnError ? error : new OwnError("own", { cause: error });
  }
}

async function decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  write: (text: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  if (compression === null) return await write(source);
  const stream = compression === "gzip" ? createGunzip() : createZstdDecompress();
  await pipeline(source, stream, write);
}

/** Writes text as UTF-8, whatever it begins with. */
class TextWriter {
  readonly #spool: FileHandle;
  readonly #maxBytes: number;
  #transcoder: Utf16Transcoder | null | undefined;
  #size = 0;

  constructor(spool: FileHandle, maxBytes: number) {
    this.#spool = spool;
    this.#maxBytes = maxBytes;
  }

  async writeAll(text: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const block of text) {
      this.#transcoder ??= transcoderFor(block);
      await this.#write(this.#transcoder === null ? block : this.#transcoder.push(block));
    }
  }

  async end(): Promise<void> {
    if (this.#transcoder) await this.#write(this.#transcoder.end());
  }

  #write(bytes: Uint8Array): Promise<void> {
    return asOwn(async () => {
      this.#size += bytes.length;
      if (this.#size > this.#maxBytes) throw new TooLarge();
      if (bytes.length > 0) await this.#spool.writeFile(bytes);
    });
  }
}

function transcoderFor(start: Uint8Array): Utf16Transcoder | null {
  const encoding = detectEncoding(start);
  return encoding === "utf-8" ? null : new Utf16Transcoder(encoding);
}

async function hashFile(
  handle: FileHandle,
  onProgress: (bytesRead: number) => void,
): Promise<string> {
  const hash = createHash("sha256");
  const all = { start: 0, end: Infinity };
  for await (const block of readRange(handle, all, onProgress)) hash.update(block);
  return hash.digest("hex");
}

async function readStart(handle: FileHandle): Promise<Uint8Array> {
  const start = new Uint8Array(4);
  const { bytesRead } = await handle.read(start, 0, start.length, 0);
  return start.subarray(0, bytesRead);
}

async function* readRange(
  handle: FileHandle,
  { start, end }: ByteRange,
  onProgress: (bytesRead: number) => void,
): AsyncGenerator<Uint8Array> {
  for (let offset = start; offset < end;) {
    const block = new Uint8Array(Math.min(READ_BYTES, end - offset));
    const { bytesRead } = await asOwn(() => handle.read(block, 0, block.length, offset));
    if (bytesRead === 0) return;
    offset += bytesRead;
    await asOwn(() => Promise.resolve(onProgress(offset)));
    yield block.subarray(0, bytesRead);
  }
}
