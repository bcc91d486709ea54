import type { Config } from "../config.ts";
import { createLogger, type Logger } from "../log.ts";
import { endOrphans } from "../services/processes.ts";
import { type Pipeline, type Roles, startPipeline } from "../services/start_pipeline.ts";
import { stopSignals } from "./stop_signals.ts";

/** Exit code of a process ended by SIGINT before it was done. */
const INTERRUPTED = 130;

/** What the work on a running pipeline gets. */
export interface PipelineWork {
  readonly pipeline: Pipeline;
  /** Aborted when a person asks to stop, and when a part has broken. */
  readonly aborted: AbortSignal;
}

/**
 * Starts a pipeline, does something with it, and stops it: when the work is done, on Ctrl-C, SIGTERM
 * or SIGHUP, or when a part breaks. Told a second time to stop, it ends what it started and exits
 * without draining; the ledger takes up from there at the next start.
 *
 * @param work does not have to look at `aborted`: its promise is left behind when that happens
 * @returns the signal that ended the work, if one did
 * @throws what the work throws, or why a part broke
 */
export async function withPipeline(
  config: Config,
  { roles, log = createLogger(config.logLevel), progress = (line) => console.error(line) }: {
    roles: Roles;
    log?: Logger;
    progress?: (line: string) => void;
  },
  work: (context: PipelineWork) => Promise<void>,
): Promise<Deno.Signal | undefined> {
  let joined = false;
  using signals = stopSignals(() => void endAtOnce(config, { joined }));
  const pipeline = await startPipeline(config, { roles, progress, log });
  joined = pipeline.joined;
  const broken = new AbortController();
  const breaking = pipeline.broken.then((error) => {
    broken.abort();
    throw error;
  });
  try {
    const aborted = AbortSignal.any([signals.aborted, broken.signal]);
    const working = signals.aborted.aborted ? signals.first : work({ pipeline, aborted });
    const ended = await Promise.race([working, signals.first, breaking]);
    if (ended !== undefined) {
      progress("Stopping: draining what is under way (again to end at once)");
    }
    return ended ?? undefined;
  } finally {
    breaking.catch(() => {});
    await pipeline.stop();
  }
}

async function endAtOnce(config: Config, { joined }: { joined: boolean }): Promise<void> {
  console.error("Ending at once");
  if (!joined) await endOrphans(config.home, () => {});
  Deno.exit(INTERRUPTED);
}
