import type { FileHandle } from "node:fs/promises";
import { ChunkPlanner, type FilePlan } from "../domain/plan_chunks.ts";

/** Bytes per read: large enough to be few calls, small enough to tell of progress often. */
const READ_BYTES = 1024 * 1024;

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
  const chunks: FilePlan["chunks"] = [];
  const buffer = new Uint8Array(READ_BYTES);
  for (let offset = 0;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
    if (bytesRead === 0) break;
    chunks.push(...planner.push(buffer.subarray(0, bytesRead)));
    offset += bytesRead;
    onProgress(offset);
  }
  const plan = planner.end();
  return { ...plan, chunks: [...chunks, ...plan.chunks] };
}
