import { randomBytes } from "node:crypto";
import { lstat, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

/** What became of a file. */
export interface Landing {
  /** False when the name was taken: the file has landed before, and nothing was written. */
  landed: boolean;
  /** Size of what was written. */
  bytes: number;
}

/**
 * Puts a file into a directory that is watched: whole or not at all. It is written under a hidden name,
 * flushed to the disk and renamed, so that no reader sees half of it and a crash leaves nothing but
 * the hidden file, which the next attempt at the same name removes.
 *
 * Renamed, not linked: a rename into place tells the watcher that the file is ready. The name is
 * looked up right before; of two attempts at once, which write the same bytes, one may replace the
 * other's.
 *
 * @param directory Must exist.
 * @param name Without directories.
 * @param chunks The file's bytes, asked for only when the name is free.
 * @param options Aborting the signal stops between two chunks and throws its reason.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const inbox = await Deno.makeTempDir();
 * const bytes = [new TextEncoder().encode("a,b\n1,2\n")];
 * assert.deepEqual(await landFile(inbox, "a.csv", bytes), { landed: true, bytes: 8 });
 * assert.deepEqual(await landFile(inbox, "a.csv", bytes), { landed: false, bytes: 0 });
 * await Deno.remove(inbox, { recursive: true });
 * ```
 */
export async function landFile(
  directory: string,
  name: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Landing> {
  const target = join(directory, name);
  await removeLeftovers(directory, name);
  if (await exists(target)) return { landed: false, bytes: 0 };
  const hidden = join(directory, `.${name}.${randomBytes(6).toString("hex")}.part`);
  try {
    const bytes = await writeAndFlush(hidden, chunks, signal);
    if (await exists(target)) return { landed: false, bytes: 0 };
    await rename(hidden, target);
    await flushDirectory(directory);
    return { landed: true, bytes };
  } finally {
    await rm(hidden, { force: true });
  }
}

async function writeAndFlush(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<number> {
  signal?.throwIfAborted();
  const file = await open(path, "wx");
  try {
    let bytes = 0;
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      // Writes all of it, where write() may stop short.
      await file.writeFile(chunk);
      bytes += chunk.length;
    }
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

/** An attempt that still runs somewhere loses its file, fails at its rename, and is tried again. */
async function removeLeftovers(directory: string, name: string): Promise<void> {
  for (const entry of await readdir(directory)) {
    const random = entry.slice(name.length + 2, -".part".length);
    if (entry === `.${name}.${random}.part` && /^[0-9a-f]{12}$/.test(random)) {
      await rm(join(directory, entry), { force: true });
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** Makes the new name survive a power failure, where directories can be flushed (not on Windows). */
async function flushDirectory(directory: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
