import { type LogLevel as SdkLogLevel, type LogMetadata, Runtime } from "@temporalio/worker";
import type { Logger } from "../log.ts";

const LEVELS = {
  TRACE: "trace",
  DEBUG: "debug",
  INFO: "debug",
  WARN: "warn",
  ERROR: "error",
} as const satisfies Record<SdkLogLevel, string>;

/** What tells a person where to look; the rest of the SDK's fields is noise in a log line. */
const KEPT_FIELDS = ["workflowId", "activityType", "attempt", "target"] as const;

/**
 * Sets up Temporal's native runtime, once per process and before the first connection. Signals stay
 * with the command that runs: the SDK's own handlers would stop the worker before the watcher.
 *
 * @param log receives what the SDK says; its chatty INFO counts as debug
 * @param options.metricsAddress host:port at which the SDK serves its own metrics, if at all
 */
export function installRuntime(
  log: Logger,
  { metricsAddress }: { metricsAddress?: string } = {},
): void {
  const { logger } = Runtime.install({
    shutdownSignals: [],
    logger: {
      log: (level, message, meta) => write(log, level, message, meta),
      trace: (message, meta) => write(log, "TRACE", message, meta),
      debug: (message, meta) => write(log, "DEBUG", message, meta),
      info: (message, meta) => write(log, "INFO", message, meta),
      warn: (message, meta) => write(log, "WARN", message, meta),
      error: (message, meta) => write(log, "ERROR", message, meta),
    },
    telemetryOptions: {
      logging: { filter: { core: "WARN", other: "ERROR" }, forward: {} },
      ...(metricsAddress !== undefined && {
        metrics: { prometheus: { bindAddress: metricsAddress } },
      }),
    },
  });
  if (log.isLevelEnabled("debug")) return;
  // The SDK would keep a dozen messages of each workflow and sort them by time, only for `write` to drop them.
  const ignore = () => {};
  Object.assign(logger, { trace: ignore, debug: ignore, info: ignore });
}

function write(log: Logger, level: SdkLogLevel, message: string, meta: LogMetadata = {}): void {
  const pinoLevel = message === "Workflow failed" && isFileFault(meta.error)
    ? "debug"
    : LEVELS[level];
  if (!log.isLevelEnabled(pinoLevel)) return;
  const fields = Object.fromEntries(
    KEPT_FIELDS.flatMap((name) => meta[name] === undefined ? [] : [[name, meta[name]]]),
  );
  log[pinoLevel]({ ...fields, ...reasonOf(meta.error) }, message);
}

/**
 * A bad file fails its workflow as designed, and is reported as a file. Told by its sentence: on the
 * way out of the workflow's thread an error keeps nothing else.
 */
function isFileFault(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Cannot load ");
}

/** Its name and sentence; a failure of an activity carries no values, other errors come from code. */
function reasonOf(error: unknown): { reason?: string } {
  if (!(error instanceof Error)) return {};
  const cause = error.cause instanceof Error ? error.cause : error;
  return { reason: cause.message };
}
