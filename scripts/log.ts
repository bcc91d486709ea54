import pino, { type Logger } from "pino";
import pretty, { prettyFactory } from "pino-pretty";
import { printable } from "./cli/printable.ts";
import type { LogLevel } from "./log_levels.ts";

export type { Logger };

/** People read the sentence, which names the file; what leads to the Web UI is for programs. */
const PRETTY = {
  translateTime: "SYS:HH:MM:ss.l",
  ignore: "fileId,workflowId,runId",
  // A file's name must not be able to end a line and begin another one.
  messageFormat: (line: Record<string, unknown>, key: string) =>
    printable(String(line[key] ?? "")).replaceAll("\n", "\ufffd"),
};
/** A line of the log, which is JSON, as people read it. */
export const prettify = prettyFactory(PRETTY);

/** Fields whose names promise a secret; the second line of defence after not logging them. */
const SECRET_FIELDS = ["password", "apiKey", "databaseUrl", "ownerDatabaseUrl"];

/**
 * The logger: to stderr, because stdout is for data. Lines for people when stderr is a terminal,
 * else one JSON object a line. Written synchronously and without worker threads, so that nothing
 * is lost when the process ends right after.
 *
 * Never pass it row data, cell values, connection strings or a PostgreSQL error as it is (its
 * message carries values): ids, paths, offsets, counts and codes only.
 *
 * @param level least important level that is written
 * @param options.write where lines for people go, when something else is drawn on the terminal
 */
export function createLogger(
  level: LogLevel,
  { write }: { write?: (line: string) => void } = {},
): Logger {
  const redact = { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]) };
  const options = { level, redact, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!Deno.stderr.isTerminal()) {
    return pino(options, pino.destination({ dest: 2, sync: true }));
  }
  if (write) return pino(options, { write: (line) => write(prettify(line)) });
  return pino(options, pretty({ ...PRETTY, destination: 2, sync: true }));
}
