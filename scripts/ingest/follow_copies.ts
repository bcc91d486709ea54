import type { Sql } from "../../activities/database.ts";
import { InterruptedError } from "../cli/failures.ts";
import type { LiveView } from "../cli/live_view.ts";
import { bar, count, countOf, duration } from "../cli/numbers.ts";
import { sleep } from "../cli/sleep.ts";
import { type FileProgress, fileProgress } from "../statements/file_progress.ts";
import type { LandedCopy } from "./copy_into_inbox.ts";

const POLL_MS = 200;

/** What a follower knows, and a view shows. */
interface Progress {
  settled: number;
  total: number;
  /** From 0 to 1, by bytes. */
  share: number;
  rows: number;
  rejected: number;
  elapsedMs: number;
}

/**
 * Waits until each copy is settled, and shows how far they are.
 *
 * @param options.copies grows while it runs, until `landed` resolves
 * @param options.since no row of the ledger is older
 * @returns the ledger's rows, in the order of the copies
 * @throws {InterruptedError} when the signal aborts; what has landed is loaded by whoever watches
 */
export async function followCopies(
  { sql, inboxId, copies, total, totalBytes, landed, since, view, signal }: {
    sql: Sql;
    inboxId: string;
    copies: readonly LandedCopy[];
    total: number;
    totalBytes: number;
    landed: Promise<void>;
    since: Date;
    view: LiveView;
    signal?: AbortSignal;
  },
): Promise<FileProgress[]> {
  const startedAt = performance.now();
  const rows = new Map<LandedCopy, FileProgress>();
  let failure: unknown;
  landed.catch((error) => failure = error);
  while (true) {
    if (failure !== undefined) throw failure;
    const open = copies.filter((copy) => !rows.get(copy)?.settled);
    const inos = open.map(({ ino }) => ino);
    for (const row of inos.length > 0 ? await fileProgress(sql, { inboxId, inos, since }) : []) {
      const copy = open.find(({ ino, name }) => ino === row.ino && name === row.fileName);
      if (copy) rows.set(copy, row);
    }
    const progress = summarise([...rows.values()], { total, totalBytes });
    showProgress(view, { ...progress, elapsedMs: performance.now() - startedAt });
    if (progress.settled === total) break;
    if (!await sleep(POLL_MS, signal)) throw new InterruptedError();
  }
  view.end();
  return copies.map((copy) => rows.get(copy)!);
}

function summarise(
  rows: readonly FileProgress[],
  { total, totalBytes }: { total: number; totalBytes: number },
): Omit<Progress, "elapsedMs"> {
  const sum = (value: (row: FileProgress) => number) =>
    rows.reduce((result, row) => result + value(row), 0);
  const settled = sum((row) => row.settled ? 1 : 0);
  const bytes = sum((row) => row.share * row.sizeBytes);
  const share = settled === total ? 1 : bytes / Math.max(1, totalBytes);
  const [loaded, rejected] = [sum((row) => row.loaded), sum((row) => row.rejected)];
  return { settled, total, share, rows: loaded, rejected };
}

function showProgress(
  view: LiveView,
  { settled, total, share, rows, rejected, elapsedMs }: Progress,
): void {
  const rate = rows / Math.max(1, elapsedMs) * 1_000;
  const numbers =
    `${count(settled)} of ${countOf(total, "file")} settled · ${countOf(rows, "row")} · ` +
    `${count(rate)} rows/s · ${countOf(rejected, "reject")} · ${duration(elapsedMs)}`;
  view.show([`${bar(share)} ${numbers}`], numbers);
}
