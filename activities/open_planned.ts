import { type FileHandle, open } from "node:fs/promises";
import { FAULT_CODES } from "../domain/faults.ts";
import { heartbeatAndCheck } from "./activity_context.ts";
import type { ActivityDeps } from "./create_activities.ts";
import { expandFile, spoolPath } from "./expand_file.ts";
import { isMissing } from "./file_identity.ts";
import { openVersion } from "./open_version.ts";
import { fileChanged } from "./read_planned_chunk.ts";
import type { PlannedFile } from "./statements/read_planned_file.ts";

/**
 * Opens the bytes that the chunks of a file are planned in: its own, or those of its expanded form.
 *
 * @param deps What activities work with.
 * @param file The file, planned.
 * @throws Terminal failure `FileChanged`.
 */
export async function openPlanned(deps: ActivityDeps, file: PlannedFile): Promise<FileHandle> {
  const opened = await openVersion(file);
  if ("fault" in opened) throw fileChanged(file, FAULT_CODES[opened.fault].message);
  if (!file.dialect.expanded) return opened.handle;
  try {
    return await openSpool(deps, file, opened.handle);
  } finally {
    await opened.handle.close();
  }
}

/** Another machine, or a cleaned spool, has to expand the file again; the checksums tell whether it became the same. */
async function openSpool(
  { expansion: { spool, maxBytes } }: ActivityDeps,
  file: PlannedFile,
  landed: FileHandle,
): Promise<FileHandle> {
  const target = spoolPath(spool, file.fileId);
  try {
    return await open(target, "r");
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const expanded = await expandFile(landed, {
    name: file.fileName,
    target,
    maxBytes,
    onProgress: (bytesExpanded) => heartbeatAndCheck({ bytesExpanded }),
  });
  if (expanded === null || "fault" in expanded) {
    throw fileChanged(file, "it can no longer be expanded");
  }
  return await open(target, "r");
}
