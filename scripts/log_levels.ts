/** From the most to the least talkative; each includes those after it. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** Name of a log level. */
export type LogLevel = typeof LOG_LEVELS[number];
