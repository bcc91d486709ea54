import { copyFile, link, lstat, open, rename, unlink, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { FileIdentity } from "../domain/ingest_api.ts";
import { givenBackName } from "../domain/ledger.ts";
import { errorCode, isMissing, readIdentity, sameVersion } from "./file_identity.ts";

/** Prefix of the name a file has for the moment between inbox and archive; hidden, so no watcher takes it for new. */
export const SETTLING_PREFIX = ".settling-";

/** What became of the bytes. */
export type MoveOutcome =
  /** They are in the archive. */
  | "moved"
  /** Another version had taken the name; it was put back unread. */
  | "replaced"
  /** Nothing was there any more: somebody removed it. */
  | "missing";

/**
 * Moves exactly the version of a file that was read, and no other (I7). Each step can be repeated after a crash: which
 * names exist tells how far the attempt before came.
 *
 * @param file.fileId Number of the file version.
 * @param file.identity Version that was inspected; `path` is where it was read.
 * @param file.target Where the bytes shall be; free, because it holds the file's number.
 */
export async function moveFile(
  { fileId, identity, target }: { fileId: number; identity: FileIdentity; target: string },
): Promise<MoveOutcome> {
  const settling = settlingPath(identity.path, fileId);
  if (await exists(target)) {
    await removeLeftover(settling, identity);
    return "moved";
  }
  if (!(await exists(settling))) {
    const lying = await readIdentity(identity.path);
    // Seen before it is touched, another version never misses its name, not even for a moment.
    if (lying !== null && !sameVersion(lying.identity, identity)) return "replaced";
    try {
      await rename(identity.path, settling);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  // In the order in which an attempt beside this one would move it: what is at none of the names is gone.
  const found = await readIdentity(settling);
  if (found === null) return await exists(target) ? "moved" : "missing";
  if (!sameVersion(found.identity, identity)) {
    await putBack(settling, identity.path, fileId);
    return "replaced";
  }
  await moveInto(settling, target);
  return "moved";
}

/** A crash after the copy to another device and before the end of the original left both. */
async function removeLeftover(settling: string, identity: FileIdentity): Promise<void> {
  const left = await readIdentity(settling);
  if (left !== null && sameVersion(left.identity, identity)) await unlink(settling);
}

/** Name of a file between inbox and archive. */
export function settlingPath(path: string, fileId: number): string {
  return join(dirname(path), `${SETTLING_PREFIX}${fileId}`);
}

/** Gives a version that we must not take its name back; never over a file that came in the meantime. */
async function putBack(settling: string, path: string, fileId: number): Promise<void> {
  const names = [path, join(dirname(path), givenBackName(basename(path), fileId))];
  for (const name of names) {
    try {
      await link(settling, name);
      break;
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      // A crash after the link and before the unlink left both names of one inode.
      if ((await lstat(name)).ino === (await lstat(settling)).ino) break;
      if (name === names.at(-1)) throw error;
    }
  }
  await unlink(settling);
}

async function moveInto(source: string, target: string): Promise<void> {
  try {
    await rename(source, target);
  } catch (error) {
    if (errorCode(error) !== "EXDEV") throw error;
    await copyAcrossDevices(source, target);
  }
  await syncDirectory(dirname(target));
}

async function copyAcrossDevices(source: string, target: string): Promise<void> {
  const part = join(dirname(target), `.${basename(target)}.part`);
  await copyFile(source, part);
  const { atime, mtime } = await lstat(source);
  await utimes(part, atime, mtime);
  const handle = await open(part, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, target);
  await unlink(source);
}

/** Makes a rename durable where directories can be synced; elsewhere the next start settles the file again. */
async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!["EISDIR", "EINVAL", "EPERM", "EACCES", "ENOTSUP"].includes(errorCode(error) ?? "")) {
      throw error;
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return await readIdentity(path) !== null;
}
