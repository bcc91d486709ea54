import { basename, join, resolve } from "node:path";
import { isAcceptedName } from "../../domain/ledger.ts";
import { UsageError } from "../cli/failures.ts";

/** A file that a person wants to have loaded. */
export interface Source {
  /** Absolute path. */
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
}

/**
 * Finds the files that some paths name: files themselves, and in directories, not below, those whose
 * names an inbox accepts.
 *
 * @returns them in order, and how many entries of directories were left out
 * @throws {UsageError} naming a path that is not there, cannot be loaded, or yields nothing
 */
export async function collectSources(
  paths: readonly string[],
): Promise<{ sources: Source[]; skipped: number }> {
  const sources: Source[] = [];
  let skipped = 0;
  for (const path of paths) {
    const info = await statOf(path);
    if (info.isFile) {
      if (!isAcceptedName(basename(path))) throw new UsageError(explainName(path));
      sources.push({ path: resolve(path), name: basename(path), sizeBytes: info.size });
    } else if (info.isDirectory) {
      const found = await listDirectory(path);
      sources.push(...found.sources);
      skipped += found.skipped;
    } else throw new UsageError(`Cannot ingest ${path}: it is neither a file nor a directory`);
  }
  if (sources.length > 0) return { sources, skipped };
  throw new UsageError(
    `Cannot ingest ${
      paths.join(", ")
    }: no file in it ends in .csv, .tsv or .txt, or these with .gz or ` +
      ".zst",
  );
}

async function listDirectory(path: string): Promise<{ sources: Source[]; skipped: number }> {
  const entries = await Array.fromAsync(Deno.readDir(path));
  const accepted = entries.filter(({ name, isFile }) => isFile && isAcceptedName(name));
  const names = accepted.map(({ name }) => name).sort();
  const sources = await Promise.all(names.map(async (name) => {
    const file = resolve(join(path, name));
    return { path: file, name, sizeBytes: (await Deno.stat(file)).size };
  }));
  return { sources, skipped: entries.length - sources.length };
}

async function statOf(path: string): Promise<Deno.FileInfo> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new UsageError(`Cannot ingest ${path}: nothing is there`);
    }
    throw error;
  }
}

function explainName(path: string): string {
  return `Cannot ingest ${path}: its name must end in .csv, .tsv or .txt, or these with .gz or .zst, and ` +
    "must not begin with . or _";
}
