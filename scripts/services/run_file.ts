import { join } from "node:path";
import { readJsonFile, writeJsonFile } from "./_json_file.ts";
import { readProcess } from "./_process_table.ts";

/** What runs in a home, for the commands that use it. */
export interface RunFile {
  /** As reader. */
  databaseUrl: string;
  /** As operator: reader plus raw bytes of rejects. */
  operatorDatabaseUrl: string;
  /** As owner. */
  ownerDatabaseUrl: string;
  temporalAddress: string;
  webUiUrl?: string;
  dashboardUrl?: string;
  /** Absolute path. */
  inbox: string;
  /** The process that started the rest. */
  pid: number;
}

interface StoredRunFile extends RunFile {
  /** Tells the process from a later one with the same pid. */
  pidStartedAt: string;
}

/**
 * Writes `run.json`, readable by its owner only, since the URLs hold passwords. A confined process writes none: it cannot
 * say what tells it from a later process, and started nothing that another command had to find.
 */
export async function writeRunFile(home: string, run: RunFile): Promise<void> {
  const pidStartedAt = await startOf(run.pid);
  if (pidStartedAt === UNKNOWABLE) return;
  if (pidStartedAt === undefined) {
    throw new Error(`Cannot write run.json: process ${run.pid} does not run`);
  }
  await writeJsonFile(join(home, "run.json"), { ...run, pidStartedAt } satisfies StoredRunFile);
}

/** @returns undefined when nothing runs in this home, also after a kill -9, which a confined process cannot know */
export async function readRunFile(home: string): Promise<RunFile | undefined> {
  const stored = await readJsonFile<StoredRunFile>(join(home, "run.json"));
  if (stored === undefined) return undefined;
  const { pidStartedAt, ...run } = stored;
  const startedAt = await startOf(run.pid);
  return startedAt === pidStartedAt || startedAt === UNKNOWABLE ? run : undefined;
}

/** What a process finds out about others that may not read all of `/proc`. */
const UNKNOWABLE = Symbol("unknowable");

async function startOf(pid: number): Promise<string | undefined | typeof UNKNOWABLE> {
  try {
    return (await readProcess(pid))?.startedAt;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return UNKNOWABLE;
    throw error;
  }
}

/** Removes `run.json`; nothing to do when there is none. */
export async function removeRunFile(home: string): Promise<void> {
  await Deno.remove(join(home, "run.json")).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
