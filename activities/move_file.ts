import { randomUUID } from "node:crypto";
import { closeSync, fsync, openSync, renameSync } from "node:fs";
import { link, lstat, mkdir, rename, rm, rmdir, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import type { FileIdentity } from "../domain/ingest_api.ts";
import { givenBackName } from "../domain/ledger.ts";
import { copyVersion } from "./copy_version.ts";
import {
  errorCode,
  isMissing,
  readIdentity,
  readIdentitySync,
  sameVersion,
} from "./file_identity.ts";

/** Prefix of the name a file has for the moment between inbox and archive; hidden, so no watcher takes it for new. */
export const SETTLING_PREFIX = ".settling-";

/** What became of the bytes. */
export type MoveOutcome =
  /** They are in the archive. */
  | "moved"
  /** Another version had taken the name; it was put back unread. */
  | "replaced"
  /** Nothing was there any more: somebody removed it. */
  | "missing"
  /** Nothing was moved: another file has the target's name, as after a database was made anew beside an old archive. */
  | "taken";

/** What is to be moved, and where to. */
export interface Move {
  /** Number of the file version. */
  fileId: number;
  /** Version that was inspected; `path` is where it was read. */
  identity: FileIdentity;
  /** Where the bytes shall be. */
  target: string;
  /** Called while a file is copied to another device, with the bytes copied so far; what it throws ends the attempt. */
  onProgress?: (bytesCopied: number) => void;
}

/** File systems keep modification times with different precision. */
const MTIME_PRECISION_MS = 1;

/**
 * Moves exactly the version of a file that was read, and no other (I7). Each step can be repeated after a crash: which
 * names exist tells how far the attempt before came. What every file takes is done at once, as `readIdentitySync`: only
 * what waits for the disk, copies bytes, or comes after a crash lets others go on meanwhile.
 *
 * @param move What is to be moved, and where to.
 */
export async function moveFile(move: Move): Promise<MoveOutcome> {
  const { fileId, identity, target } = move;
  const settling = settlingPath(identity.path, fileId);
  if (exists(target)) {
    return await isOurs(move) ? await endLeftover(move) : "taken";
  }
  if (!exists(settling)) {
    const lying = readIdentitySync(identity.path);
    // Seen before it is touched, another version never misses its name, not even for a moment.
    if (lying !== null && !sameVersion(lying.identity, identity)) return "replaced";
    try {
      renameSync(identity.path, settling);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  // In the order in which an attempt beside this one would move it: what is at none of the names is gone.
  const found = readIdentitySync(settling);
  if (found === null) return await isOurs(move) ? "moved" : "missing";
  if (!sameVersion(found.identity, identity)) return await putBack(move);
  try {
    renameSync(settling, target);
  } catch (error) {
    if (errorCode(error) !== "EXDEV") throw error;
    return await copyAcrossDevices(move);
  }
  await syncDirectory(dirname(target));
  return "moved";
}

/** Name of a file between inbox and archive. */
export function settlingPath(path: string, fileId: number): string {
  return join(dirname(path), `${SETTLING_PREFIX}${fileId}`);
}

/** Whether what has the target's name is the version that was read, brought there by an attempt before or beside this one. */
async function isOurs({ fileId, identity, target }: Move): Promise<boolean> {
  const there = await readIdentity(target);
  if (there === null || !there.isFile) return false;
  const { sizeBytes, mtimeMs, ino } = there.identity;
  const isLike = sizeBytes === identity.sizeBytes &&
    Math.abs(mtimeMs - identity.mtimeMs) <= MTIME_PRECISION_MS;
  const settling = settlingPath(identity.path, fileId);
  const left = await readIdentity(settling);
  if (left !== null) {
    // A crash behind a copy leaves both; where a rename would have done, nothing was copied.
    return isLike && !(await canRename(settling, target));
  }
  const lying = await readIdentity(identity.path);
  if (lying !== null && sameVersion(lying.identity, identity)) return false;
  // Renamed, it has its inode, even if a writer went on with it since.
  return ino === identity.ino || isLike;
}

/** Whether a file could be renamed to a target. Device numbers do not tell: two mounts of one device have the same. */
async function canRename(source: string, target: string): Promise<boolean> {
  const probe = partsPath(target);
  await rm(probe, { recursive: true, force: true });
  try {
    await link(source, probe);
  } catch (error) {
    if (NOT_LINKED.has(errorCode(error) ?? "")) return false;
    throw error;
  }
  await unlink(probe);
  return true;
}

/** Another device, no links at all, or an attempt beside this one has ended the source: size and time have to do. */
const NOT_LINKED = new Set(["EXDEV", "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "ENOENT"]);

/** Where the attempts to copy a file keep what is not complete. */
function partsPath(target: string): string {
  return join(dirname(target), `.${basename(target)}.part`);
}

/** The target is complete: what is left of the original goes, unless a writer went on with it, which nobody has read. */
async function endLeftover(move: Move): Promise<MoveOutcome> {
  const settling = settlingPath(move.identity.path, move.fileId);
  const left = await readIdentity(settling);
  if (left === null) return "moved";
  if (!sameVersion(left.identity, move.identity)) return await putBack(move);
  await rm(settling, { force: true });
  return "moved";
}

/** Gives a version that we must not take its name back; never over a file that came in the meantime. */
async function putBack({ fileId, identity: { path } }: Move): Promise<"replaced"> {
  const settling = settlingPath(path, fileId);
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
  return "replaced";
}

/**
 * The copy gets the target's name only once it is complete and durable, and only then the original goes. Each attempt
 * writes a file of its own, in a folder that the next attempt removes.
 */
async function copyAcrossDevices(move: Move): Promise<MoveOutcome> {
  const { fileId, identity, target } = move;
  const settling = settlingPath(identity.path, fileId);
  const parts = partsPath(target);
  await rm(parts, { recursive: true, force: true });
  await mkdir(parts);
  const part = join(parts, randomUUID());
  try {
    await copyVersion(settling, part, move);
    const left = await readIdentity(settling);
    if (left !== null && !sameVersion(left.identity, identity)) return await putBack(move);
    // An attempt beside this one was faster, or another file got the name.
    if (left === null || exists(target)) return await moveFile(move);
    await rename(part, target);
  } finally {
    await rm(part, { force: true });
    await rmdir(parts).catch(ignoreOthersParts);
  }
  await syncDirectory(dirname(target));
  return await endLeftover(move);
}

function ignoreOthersParts(error: unknown): void {
  if (!isMissing(error) && errorCode(error) !== "ENOTEMPTY") throw error;
}

/** Makes a rename durable where directories can be synced; elsewhere the next start settles the file again. */
async function syncDirectory(directory: string): Promise<void> {
  try {
    const opened = openSync(directory, "r");
    try {
      await flush(opened);
    } finally {
      closeSync(opened);
    }
  } catch (error) {
    if (!["EISDIR", "EINVAL", "EPERM", "EACCES", "ENOTSUP"].includes(errorCode(error) ?? "")) {
      throw error;
    }
  }
}

/** Waits for the disk. */
const flush = promisify(fsync);

function exists(path: string): boolean {
  return readIdentitySync(path) !== null;
}
