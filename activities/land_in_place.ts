import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";

/** Between the first part of a file and the rest: long enough to be seen, shorter than any settle time in use. */
const PAUSE_MS = 100;

/**
 * Writes a file where it is watched, as careless programs do: under its own name, the first piece only
 * in half, cut wherever that is, and the rest a moment later. What is there already, of an attempt
 * that ended in between, is completed.
 *
 * @param directory Must exist.
 * @param name Without directories.
 * @param chunks The file's bytes; the same at each attempt.
 * @param options Aborting the signal stops between two chunks and throws its reason.
 */
export async function landInPlace(
  directory: string,
  name: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { signal }: { signal?: AbortSignal } = {},
): Promise<void> {
  // Neither truncated nor appended to: two attempts at once write the same bytes to the same places.
  const file = await open(join(directory, name), constants.O_RDWR | constants.O_CREAT, 0o644);
  try {
    const { size } = await file.stat();
    let at = 0;
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      if (at === 0 && size < chunk.length) {
        await writeAt(file, chunk.subarray(0, chunk.length >>> 1), 0);
        await file.sync();
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
      await writeAt(file, chunk, at);
      at += chunk.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const rest = bytes.length - done;
    done += (await file.write(bytes, done, rest, position + done)).bytesWritten;
  }
}
