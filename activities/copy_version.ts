import { chmod, type FileHandle, open, utimes } from "node:fs/promises";
import type { FileIdentity } from "../domain/ingest_api.ts";
import { openRegularFile } from "./file_identity.ts";

/** Bytes per read: large enough to be few calls, small enough to heartbeat often. */
const COPY_BYTES = 1024 * 1024;

/**
 * Copies content, mode and times of a version, through to the disk. Whether the source was that version to the end is
 * for the caller to see; of one that is gone nothing is copied.
 *
 * @param source Absolute path of the version.
 * @param target Absolute path that nothing has.
 * @param version.identity The version; no more than its bytes are copied.
 * @param version.onProgress Called after each block with the bytes copied so far; what it throws ends the copy.
 */
export async function copyVersion(
  source: string,
  target: string,
  { identity, onProgress }: {
    identity: FileIdentity;
    onProgress?: (bytesCopied: number) => void;
  },
): Promise<void> {
  const opened = await openRegularFile(source);
  if (opened === null) return;
  try {
    const copy = await open(target, "wx");
    try {
      for await (const block of readBlocks(opened.handle, identity.sizeBytes)) {
        await writeAll(copy, block.bytes);
        onProgress?.(block.end);
      }
      const { mode, atime, mtime } = await opened.handle.stat();
      await chmod(target, mode & 0o777);
      await utimes(target, atime, mtime);
      await copy.sync();
    } finally {
      await copy.close();
    }
  } finally {
    await opened.handle.close();
  }
}

async function* readBlocks(
  handle: FileHandle,
  sizeBytes: number,
): AsyncGenerator<{ bytes: Uint8Array; end: number }> {
  const buffer = new Uint8Array(COPY_BYTES);
  for (let offset = 0; offset < sizeBytes;) {
    const length = Math.min(buffer.length, sizeBytes - offset);
    const { bytesRead } = await handle.read(buffer, 0, length, offset);
    if (bytesRead === 0) return;
    offset += bytesRead;
    yield { bytes: buffer.subarray(0, bytesRead), end: offset };
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += (await handle.write(bytes, written, bytes.length - written)).bytesWritten;
  }
}
