import { equal } from "node:assert/strict";
import { basename } from "node:path";
import { duration } from "../../cli/numbers.ts";
import { sleep } from "../../cli/sleep.ts";
import { quantile } from "../alternate.ts";
import { prepareLook } from "../land_and_look.ts";
import type { StageDatabase } from "../stage.ts";
import type { Subject } from "../subject.ts";
import type { Figures, Target, TargetBench, TargetRow } from "../target.ts";

const ROWS_PER_FILE = 100;
const INTERVAL_MS = 1_000;
/** Not counted: the first files meet a process that has just started. */
const WARM_UP = 3;
/** 300 files where a large file has a million rows; a third of them beside large files. */
const RECORDS_PER_FILE = 3_333;
const RECORDS_PER_FILE_UNDER_LOAD = 10_000;
/** What small files bring beside large ones happens later: the same seed gives the same events at the same time. */
const FROM_UNDER_LOAD = Date.UTC(2024, 5, 1);
/** No large file loads quicker than ten small ones land. */
const SMALL_PER_LARGE = 10;

/** How long a row takes from its file's rename when there is nothing else to do. */
export const LATENCY: TargetBench = {
  name: "latency",
  rows: [
    latencyRow("p50: file of 100 rows renamed into place → row visible", { atMost: 30, aim: 15 }),
    latencyRow("p99 of the same, a file a second", { atMost: 100 }),
  ],
  async measure(stage, { records, onProgress }) {
    await using database = await stage.database();
    await using subject = await stage.subject(database);
    const files = Math.ceil(records / RECORDS_PER_FILE);
    onProgress(`landing ${files} files, one a second`);
    const paths = await stage.inputs.small({ files: files + WARM_UP, rows: ROWS_PER_FILE });
    return summarise(await landEverySecond({ database, subject, paths }), onProgress);
  },
};

/** The same while large files load, one after the other. */
export const LATENCY_UNDER_LOAD: TargetBench = {
  name: "latency-under-load",
  rows: [
    latencyRow("p50 while a file of 1 M rows loads", {}),
    latencyRow("p99 while a file of 1 M rows loads", { atMost: 500, aim: 200 }),
  ],
  async measure(stage, { records, onProgress }) {
    const files = Math.ceil(records / RECORDS_PER_FILE_UNDER_LOAD);
    onProgress("making the large files");
    const largeFiles = Math.ceil(files / SMALL_PER_LARGE);
    const large = await stage.inputs.events({ rows: records * largeFiles, files: largeFiles });
    const paths = await stage.inputs.small({
      files: files + WARM_UP,
      rows: ROWS_PER_FILE,
      from: FROM_UNDER_LOAD,
    });
    await using database = await stage.database();
    await using subject = await stage.subject(database);
    onProgress(`landing ${files} files, one a second, beside large ones`);
    const controller = new AbortController();
    const { signal } = controller;
    const [times] = await Promise.all([
      landEverySecond({ database, subject, paths, signal }).finally(() => controller.abort()),
      loadInTurn({ database, subject, paths: large, signal }).finally(() => controller.abort()),
    ]);
    equal(await countDuplicates(database), 0, "the files have events in common");
    return summarise(times, onProgress);
  },
};

function latencyRow(what: string, target: Target): TargetRow {
  return { what, rival: null, unit: "ms", target };
}

function summarise(times: readonly number[], onProgress: (line: string) => void): Figures[] {
  const [p50, p95, p99, most] = [0.5, 0.95, 0.99, 1].map((share) => quantile(times, share));
  onProgress(
    `${times.length} files: p50 ${duration(p50!)}, p95 ${duration(p95!)}, p99 ${duration(p99!)}, ` +
      `slowest ${duration(most!)}`,
  );
  return [{ ours: p50! }, { ours: p99! }];
}

interface Landing {
  readonly database: StageDatabase;
  readonly subject: Subject;
  readonly paths: readonly string[];
  /** Aborted when there is no point in going on. */
  readonly signal?: AbortSignal;
}

/** Milliseconds of each, without those that warm up. */
async function landEverySecond({ database, subject, paths, signal }: Landing): Promise<number[]> {
  const landAndLook = await prepareLook(database.sql, subject);
  const times: number[] = [];
  const startedAt = performance.now();
  for (const [index, path] of paths.entries()) {
    await sleep(Math.max(0, startedAt + index * INTERVAL_MS - performance.now()));
    if (signal?.aborted && times.length > WARM_UP) break;
    times.push(await landAndLook(path));
  }
  return times.slice(WARM_UP);
}

async function countDuplicates({ sql }: StageDatabase): Promise<number> {
  const [row] = await sql<{ duplicates: number }[]>`
    select count(*) as duplicates from ingest.duplicates`;
  return row!.duplicates;
}

/** Each as soon as the one before is settled. */
async function loadInTurn({ database: { sql }, subject, paths, signal }: Landing): Promise<void> {
  for (const path of paths) {
    if (signal?.aborted) return;
    await subject.land([path]);
    const isSettled = async () => {
      const rows = await sql`
        select from ingest.files where file_name = ${basename(path)} and settled_at is not null`;
      return rows.length > 0;
    };
    while (!signal?.aborted && !await isSettled()) await sleep(INTERVAL_MS / 10);
  }
}
