import type { FileHandle } from "node:fs/promises";
import type { FileIdentity } from "../domain/ingest_api.ts";
import { errorCode, openRegularFile, sameVersion } from "./file_identity.ts";
import { settlingPath } from "./move_file.ts";
import { refuseAway, rememberInbox } from "./refuse_away.ts";

/** A version of a file, and where its bytes may be by now. */
export interface FileVersion {
  fileId: number;
  identity: FileIdentity;
  /** Where it goes, or went, after settling. */
  archivePath: string | null;
}

/** Why a version cannot be opened; the same words as the fault codes of files. */
export type OpenFault = "vanished" | "changed" | "refused" | "unreadable";

/**
 * Opens the version of a file that was discovered, wherever settling has brought it: under its own name, on the way to
 * the archive, or in the archive. Links are not followed.
 *
 * @param version The version that the ledger's row stands for.
 * @throws Retryable failure `InboxAway` when nothing is found because a directory is away.
 */
export async function openVersion(
  version: FileVersion,
): Promise<{ handle: FileHandle } | { fault: OpenFault }> {
  const { identity, archivePath } = version;
  const opened = await openAnywhere(version);
  if ("handle" in opened) {
    await rememberInbox(identity.path);
    return opened;
  }
  if (opened.fault !== "vanished") return opened;
  await refuseAway(identity.path);
  if (archivePath !== null) await refuseAway(archivePath);
  // The directory may have come back between the two looks.
  return await openAnywhere(version);
}

async function openAnywhere(
  { fileId, identity, archivePath }: FileVersion,
): Promise<{ handle: FileHandle } | { fault: OpenFault }> {
  let fault: OpenFault = "vanished";
  for (const path of [identity.path, settlingPath(identity.path, fileId), archivePath]) {
    if (path === null) continue;
    const opened = await tryOpen(path);
    if (opened === null) continue;
    if ("fault" in opened) {
      fault = opened.fault;
      continue;
    }
    if (!opened.isFile) fault = "refused";
    // A copy to another device has the time and size of the original, but not its inode.
    else if (
      sameVersion(opened.identity, {
        ...identity,
        ...(path === archivePath && { ino: opened.identity.ino }),
      })
    ) {
      return { handle: opened.handle };
    } else fault = "changed";
    await opened.handle.close();
  }
  return { fault };
}

async function tryOpen(
  path: string,
): Promise<Awaited<ReturnType<typeof openRegularFile>> | { fault: OpenFault }> {
  try {
    return await openRegularFile(path);
  } catch (error) {
    const code = errorCode(error);
    // ENXIO: a socket, or a FIFO's or device's other end is missing.
    if (code === "ELOOP" || code === "ENXIO" || code === "EISDIR") return { fault: "refused" };
    if (code === "EACCES" || code === "EPERM") return { fault: "unreadable" };
    throw error;
  }
}
