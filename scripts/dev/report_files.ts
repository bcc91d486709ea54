import type { Sql } from "../../activities/database.ts";
import { count, countOf, duration } from "../cli/numbers.ts";
import { howToRetry } from "../cli/how_to_retry.ts";
import { sleep } from "../cli/sleep.ts";
import type { Logger } from "../log.ts";
import { readClock, type SettledFile, settledSince } from "../statements/settled_since.ts";

const POLL_MS = 1_000;
/** A settling transaction shows at the latest this long after it began. */
const OVERLAP_MS = 15_000;
/** More files than these in one go are told as one line. */
const MOST_LINES = 5;

/**
 * Says in the log what becomes of each file, so that a person who drops one sees something happen.
 *
 * @returns when the signal aborts; while the database is away nothing is said
 */
export async function reportFiles(
  sql: Sql,
  { inboxId, log, signal }: { inboxId: string; log: Logger; signal: AbortSignal },
): Promise<void> {
  let since = await readClock(sql);
  /** Files that were told and may show again, and when they were settled. */
  const told = new Map<number, Date>();
  while (await sleep(POLL_MS, signal)) {
    try {
      const now = await readClock(sql);
      const files = await settledSince(sql, { inboxId, since, known: [...told.keys()] });
      report(files, log);
      for (const { fileId, settledAt } of files) told.set(fileId, settledAt);
      const next = new Date(now.getTime() - OVERLAP_MS);
      if (next > since) since = next;
      for (const [fileId, settledAt] of told) if (settledAt < since) told.delete(fileId);
    } catch (error) {
      log.debug({ reason: error instanceof Error ? error.name : "unknown" }, "Cannot report files");
    }
  }
}

function report(files: readonly SettledFile[], log: Logger): void {
  const failed = files.filter(({ errorMessage }) => errorMessage !== null);
  for (const file of failed) {
    const next = howToRetry(file);
    const message = `${file.errorMessage} (file ${file.fileId}${
      next === undefined ? "" : `; ${next}`
    })`;
    log.warn(idsOf(file), message);
  }
  const others = files.filter(({ errorMessage }) => errorMessage === null);
  if (others.length <= MOST_LINES) {
    return others.forEach((file) => log.info(idsOf(file), describe(file)));
  }
  const sum = (key: "loaded" | "duplicates" | "rejected") =>
    others.reduce((total, file) => total + file[key], 0);
  log.info(
    `Settled ${countOf(others.length, "file")}: ${countOf(sum("loaded"), "row")} loaded, ` +
      `${countOf(sum("duplicates"), "duplicate")}, ${countOf(sum("rejected"), "reject")}`,
  );
}

/** What leads from a line of the log to the ledger and the Web UI. */
function idsOf({ fileId, workflowId, runId }: SettledFile) {
  return { fileId, workflowId, runId };
}

function describe(file: SettledFile): string {
  const { fileId, fileName, state, loaded, duplicates, rejected, duplicateOf, lagMs } = file;
  const name = `${fileName} (file ${fileId})`;
  if (state === "duplicate") return `Skipped ${name}: file ${duplicateOf} has the same bytes`;
  if (state !== "loaded") return `${name} is ${state}`;
  const more = [
    ...(duplicates > 0 ? [countOf(duplicates, "duplicate")] : []),
    ...(rejected > 0
      ? [`${count(rejected)} rejected: see \`deno task files show ${fileId}\``]
      : []),
  ];
  const time = lagMs === null ? "" : ` in ${duration(Math.max(0, lagMs))}`;
  return [`Loaded ${name}: ${countOf(loaded, "row")}${time}`, ...more].join(", ");
}
