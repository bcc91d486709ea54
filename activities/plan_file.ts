import type { FileHandle } from "node:fs/promises";
import { ChunkPlanner, type FilePlan } from "../domain/plan_chunks.ts";

/** Bytes per read: large enough to be few calls, small enough to tell of progress often. Two are held. */
const READ_BYTES = 512 * 1024;

/**
 * Reads a file once from end to end and plans its chunks.
 *
 * @param handle The file, open; UTF-8.
 * @param options.chunkBytes Target size of a chunk.
 * @param options.onProgress Called after each read with the bytes so far; may throw to stop.
 */
export async function planFile(
  handle: FileHandle,
  { chunkBytes, onProgress = () => {} }: {
    chunkBytes: number;
    onProgress?: (bytesRead: number) => void;
  },
): Promise<FilePlan> {
  const planner = new ChunkPlanner({ chunkBytes });
  let bytesRead = 0;
  for await (const block of readAhead(handle)) {
    await planner.push(block);
    bytesRead += block.length;
    onProgress(bytesRead);
  }
  return await planner.end();
}

/** The blocks of a file, each good until the next is asked for, which is read meanwhile. */
async function* readAhead(handle: FileHandle): AsyncGenerator<Uint8Array> {
  let block = new Uint8Array(READ_BYTES);
  let ahead = new Uint8Array(READ_BYTES);
  let reading = handle.read(block, 0, READ_BYTES, 0);
  try {
    for (let offset = 0;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return;
      offset += bytesRead;
      reading = handle.read(ahead, 0, READ_BYTES, offset);
      yield block.subarray(0, bytesRead);
      [block, ahead] = [ahead, block];
    }
  } finally {
    // Whoever stops early closes the file next.
    await reading.catch(() => {});
  }
}
