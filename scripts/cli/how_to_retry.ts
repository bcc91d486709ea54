import type { FileProgress } from "../statements/file_progress.ts";
import { shortPath } from "./short_path.ts";

/**
 * Where a file that could not be loaded is now, and what to do there.
 *
 * @returns a clause; undefined when nothing failed, or it was not moved and the reason says what to do
 */
export function howToRetry(
  { fileId, state, archivePath }: Pick<FileProgress, "fileId" | "state" | "archivePath">,
): string | undefined {
  if (state !== "failed" || archivePath === null) return undefined;
  return `it is now in ${shortPath(archivePath)}: correct it there and run ` +
    `\`deno task files retry ${fileId}\``;
}
