import type { Config } from "../config.ts";
import { readRunFile } from "./run_file.ts";
import type { Services } from "./start_services.ts";
import { devServerTarget, readTemporalTarget } from "./temporal_target.ts";

/**
 * The services of what runs in this home already: a second worker or watcher uses them, and leaves
 * them running.
 *
 * @returns undefined when nothing runs there
 */
export async function joinServices(config: Config): Promise<Services | undefined> {
  const run = await readRunFile(config.home);
  if (run === undefined) return undefined;
  const stop = () => Promise.resolve();
  return {
    databaseUrl: config.databaseUrl ?? run.ownerDatabaseUrl,
    temporalAddress: run.temporalAddress,
    temporal: readTemporalTarget(config) ?? devServerTarget(run.temporalAddress),
    ...(run.webUiUrl === undefined ? {} : { webUiUrl: run.webUiUrl }),
    started: [],
    unexpectedEnd: new Promise(() => {}),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
