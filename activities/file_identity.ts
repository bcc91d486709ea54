import { constants, lstatSync, type Stats } from "node:fs";
import { type FileHandle, lstat, open } from "node:fs/promises";
import type { FileIdentity } from "../domain/ingest_api.ts";

/**
 * Identity of whatever lies at a path, links not followed.
 *
 * @param path Absolute path.
 * @returns The identity and whether it is a regular file, or null when nothing is there.
 */
export async function readIdentity(
  path: string,
): Promise<{ identity: FileIdentity; isFile: boolean } | null> {
  try {
    const stats = await lstat(path);
    return { identity: identityOf(path, stats), isFile: stats.isFile() };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/**
 * The same at once, for a fifth of the CPU. Only for the steps of a file in directories that are at work: should a share
 * hang between two of them, the whole process hangs until it answers, and other workers, if any, take over its work.
 */
export function readIdentitySync(
  path: string,
): { identity: FileIdentity; isFile: boolean } | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats === undefined ? null : { identity: identityOf(path, stats), isFile: stats.isFile() };
}

/** To open a file for reading without following a link at its end and without waiting for a writer of a FIFO. */
export const READ_REGULAR_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens a file as {@linkcode READ_REGULAR_FILE} says.
 *
 * @param path Absolute path.
 * @returns The handle and the identity of what was opened, or null when nothing is there.
 */
export async function openRegularFile(
  path: string,
): Promise<{ handle: FileHandle; identity: FileIdentity; isFile: boolean } | null> {
  let handle: FileHandle;
  try {
    handle = await open(path, READ_REGULAR_FILE);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  try {
    const stats = await handle.stat();
    return { handle, identity: identityOf(path, stats), isFile: stats.isFile() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Whether two sightings are the same version of a file's content: a rename changes ctime, so it does not count. */
export function sameVersion(a: FileIdentity, b: FileIdentity): boolean {
  return a.ino === b.ino && a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs;
}

/** Whether an error says that nothing lies at the path. */
export function isMissing(error: unknown): boolean {
  return errorCode(error) === "ENOENT" || error instanceof Deno.errors.NotFound;
}

/** System error code such as `EACCES`, if there is one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

/**
 * Identity from what the system tells of a file.
 *
 * @param path Absolute path.
 * @param stats Of these the inode number may have all of 64 bits (network and union file systems): it is cut to 53, so
 * that a number, the ledger's bigint and JSON all have it exactly, and it always equals itself.
 */
export function identityOf(
  path: string,
  stats: Pick<Stats, "ino" | "size" | "mtimeMs" | "ctimeMs">,
): FileIdentity {
  return {
    path,
    ino: stats.ino % 2 ** 53,
    sizeBytes: stats.size,
    mtimeMs: stats.mtimeMs,
    ctimeMs: stats.ctimeMs,
  };
}
