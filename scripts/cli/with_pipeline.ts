import type { Config } from "../config.ts";
import { createLogger, type Logger } from "../log.ts";
import { endOrphans } from "../services/processes.ts";
import { type Pipeline, type Roles, startPipeline } from "../services/start_pipeline.ts";
import { sleep } from "./sleep.ts";
import { stopSignals } from "./stop_signals.ts";

/** Exit code of a process ended by SIGINT before it was done. */
const INTERRUPTED = 130;
/** Time in which the work may end by itself once it is told to. */
const WORK_GRACE_MS = 5_000;

/** What the work on a running pipeline gets. */
export interface PipelineWork {
  readonly pipeline: Pipeline;
  /** Aborted when a person asks to stop, and when a part has broken: the work is to end then. */
  readonly aborted: AbortSignal;
}

/**
 * Starts a pipeline, does something with it, and stops it: when the work is done, on Ctrl-C, SIGTERM
 * or SIGHUP, or when a part breaks. Told a second time to stop, it ends what it started and exits
 * without draining; the ledger takes up from there at the next start.
 *
 * @returns the signal that ended the work, if one did
 * @throws what the work throws, why a part broke, or `InterruptedError` when told to stop while
 * starting
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
  const pipeline = await startPipeline(config, {
    roles,
    progress,
    log,
    signal: signals.aborted,
  });
  joined = pipeline.joined;
  const broken = new AbortController();
  let reason: Error | undefined;
  const breaking = pipeline.broken.then((error) => {
    reason = error;
    broken.abort();
  });
  const aborted = AbortSignal.any([signals.aborted, broken.signal]);
  try {
    const working = aborted.aborted ? Promise.resolve() : work({ pipeline, aborted });
    await Promise.race([working, signals.first, breaking]);
    if (!aborted.aborted) return undefined;
    if (reason === undefined) {
      progress("Stopping: draining what is under way (again to end at once)");
    }
    await Promise.race([working.catch(() => {}), sleep(WORK_GRACE_MS)]);
    if (reason !== undefined) throw reason;
    return await signals.first;
  } finally {
    await pipeline.stop();
  }
}

async function endAtOnce(config: Config, { joined }: { joined: boolean }): Promise<void> {
  console.error("Ending at once");
  if (!joined) await endOrphans(config.home, () => {});
  Deno.exit(INTERRUPTED);
}
