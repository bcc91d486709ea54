import { join } from "node:path";
import { endOrphans } from "./processes.ts";
import type { Progress } from "./progress.ts";

/** Directories of databases: deep, and nobody's home. */
const SKIPPED = new Set(["data", "temporal", "inbox", "archive", "failed"]);

/**
 * Ends what was left running in any home below a directory, such as those of tests that crashed.
 * Only for directories that no living process uses.
 */
export async function sweepHomes(directory: string, progress: Progress): Promise<void> {
  const entries = await Array.fromAsync(Deno.readDir(directory)).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  });
  for (const { name, isDirectory } of entries) {
    if (!isDirectory || SKIPPED.has(name)) continue;
    if (name === "processes") await endOrphans(directory, progress);
    else await sweepHomes(join(directory, name), progress);
  }
}
