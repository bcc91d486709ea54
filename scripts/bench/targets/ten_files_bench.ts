import { equal } from "node:assert/strict";
import { count, duration } from "../../cli/numbers.ts";
import { alternate, compare, median } from "../alternate.ts";
import { readConsistent } from "../contents.ts";
import { type Variant, WARM_UP_SHARE } from "../inputs.ts";
import { loadFiles } from "../load_files.ts";
import { copyByHand } from "../rivals/copy_by_hand.ts";
import { makeMonths, WARM_UP_FROM } from "../rivals/make_months.ts";
import { hasPsql } from "../rivals/psql.ts";
import type { Stage } from "../stage.ts";
import type { TargetBench } from "../target.ts";

const FILES = 10;
/** Of both ways that are close to each other: a pair is up to a fifth off. */
const RUNS = 3;

/** Whether files that wait help each other along. */
export const TEN_FILES: TargetBench = {
  name: "ten-files",
  rows: [
    {
      what: "ten files of 1 M rows at once, UUIDv7",
      rival: "the same, one by one",
      unit: "rows/s",
      target: { atLeast: 1, aim: 1.3 },
    },
    {
      what: "ten files of 1 M rows at once, UUIDv7",
      rival: "the same guarantees by hand, from \\copy",
      unit: "rows/s",
      target: { atLeast: 1.2, aim: 2 },
    },
  ],
  async measure(stage, { records, runs = RUNS, onProgress }) {
    onProgress("making the files");
    const rows = records * FILES;
    const paths = await stage.inputs.events({ rows, files: FILES });
    const tell = (name: string, run: number, rate: number) =>
      onProgress(`${name}, run ${run}: ${count(rate)} rows/s`);
    const rates = await alternate({
      "at once": async () => rows / await loadAtOnce(stage, paths, rows),
      "one by one": async () => rows / sum(await loadOneByOne(stage, paths, rows)),
    }, { runs, onRun: (name, run, rate) => tell(name, run, rate) });
    const amongThemselves = compare(rates["at once"], rates["one by one"]);
    if (!await hasPsql()) return [amongThemselves, { skipped: "no psql" }];
    // Once: it takes longer than the others together, and is far from them.
    const byHand = rows / await loadByHand(stage, paths, rows);
    tell("by hand", 1, byHand);
    return [amongThemselves, compare([median(rates["at once"])], [byHand])];
  },
};

/** Whether a database that fills up becomes slow. */
export const TENTH_FILE_V7 = tenthFileBench("v7", "UUIDv7", { atLeast: 0.8, aim: 0.95 });
/** The same with keys in no order. */
export const TENTH_FILE_V4 = tenthFileBench("v4", "UUIDv4", { atLeast: 0.5, aim: 0.7 });

function tenthFileBench(
  ids: Variant,
  idsName: string,
  target: { atLeast: number; aim: number },
): TargetBench {
  return {
    name: `tenth-file-${ids}`,
    rows: [{
      what: `tenth file of 1 M rows, ${idsName}`,
      rival: "the first",
      unit: "rows/s",
      target,
    }],
    async measure(stage, { records, runs = 1, onProgress }) {
      onProgress("making the files");
      const paths = await stage.inputs.events({ rows: records * FILES, files: FILES, ids });
      const warmUpRows = Math.ceil(records * WARM_UP_SHARE);
      // Else the first file would be slow for meeting a process that has just started.
      const [warmUp] = await stage.inputs.events({ rows: warmUpRows, ids, from: WARM_UP_FROM });
      const first: number[] = [];
      const tenth: number[] = [];
      for (let run = 1; run <= runs; run++) {
        const [, ...seconds] = await loadOneByOne(
          stage,
          [warmUp!, ...paths],
          warmUpRows + records * FILES,
        );
        onProgress(`run ${run}: ${seconds.map((one) => duration(one * 1000)).join(", ")}`);
        first.push(records / seconds[0]!);
        tenth.push(records / seconds.at(-1)!);
      }
      return [compare(tenth, first)];
    },
  };
}

async function loadAtOnce(stage: Stage, paths: string[], rows: number): Promise<number> {
  await using database = await stage.database();
  await using subject = await stage.subject(database);
  const { folded } = await loadFiles(database, subject, paths);
  equal((await readConsistent(database)).events, rows);
  return folded;
}

/** Seconds of each. */
async function loadOneByOne(stage: Stage, paths: string[], rows: number): Promise<number[]> {
  await using database = await stage.database();
  await using subject = await stage.subject(database);
  const seconds: number[] = [];
  for (const path of paths) seconds.push((await loadFiles(database, subject, [path])).folded);
  equal((await readConsistent(database)).events, rows);
  return seconds;
}

async function loadByHand(stage: Stage, paths: string[], rows: number): Promise<number> {
  await using database = await stage.database();
  await makeMonths(database);
  let seconds = 0;
  for (const path of paths) seconds += await copyByHand(database, path);
  equal((await readConsistent(database)).events, rows);
  return seconds;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
