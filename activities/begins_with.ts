import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";

const READ_BYTES = 1024 * 1024;

/**
 * Whether a file begins with the bytes of another one, known by its size and hash.
 *
 * @param handle The longer file, open.
 * @param shorter Size in bytes, and sha-256 in hex.
 * @param onProgress Called after each read with the bytes so far; may throw to stop.
 */
export async function beginsWith(
  handle: FileHandle,
  { sizeBytes, sha256 }: { sizeBytes: number; sha256: string },
  onProgress: (bytesRead: number) => void = () => {},
): Promise<boolean> {
  const hash = createHash("sha256");
  const block = new Uint8Array(READ_BYTES);
  for (let at = 0; at < sizeBytes;) {
    const length = Math.min(block.length, sizeBytes - at);
    const { bytesRead } = await handle.read(block, 0, length, at);
    if (bytesRead === 0) return false;
    hash.update(block.subarray(0, bytesRead));
    at += bytesRead;
    onProgress(at);
  }
  return hash.digest("hex") === sha256;
}
