import { equal } from "node:assert/strict";
import { count } from "../../cli/numbers.ts";
import { alternate, compare } from "../alternate.ts";
import { type Contents, readConsistent, readContents } from "../contents.ts";
import { type Variant, WARM_UP_SHARE } from "../inputs.ts";
import { loadFiles } from "../load_files.ts";
import { copyByHand } from "../rivals/copy_by_hand.ts";
import { makeMonths, WARM_UP_FROM } from "../rivals/make_months.ts";
import { hasPsql } from "../rivals/psql.ts";
import { prepareRawCopy, rawCopy } from "../rivals/raw_copy.ts";
import type { Stage } from "../stage.ts";
import type { TargetBench } from "../target.ts";

/** More than of most: a pair is up to a tenth off, and one line is close to what is asked. */
const RUNS = 5;

/** Lines A and B: one large file by the complete way. */
export const ONE_FILE_V7 = oneFileBench("v7", "UUIDv7");
/** The same with keys in no order. */
export const ONE_FILE_V4 = oneFileBench("v4", "UUIDv4");

function oneFileBench(ids: Variant, idsName: string): TargetBench {
  return {
    name: `one-file-${ids}`,
    rows: [
      {
        what: `A: one file, ${idsName}, the complete way and rollups folded`,
        rival: "the same guarantees by hand, from \\copy",
        unit: "rows/s",
        target: { atLeast: 1.2, aim: 2 },
      },
      {
        what: `B: one file, ${idsName}, the complete way and rollups folded`,
        rival: "raw \\copy, none of the guarantees",
        unit: "rows/s",
        target: { atLeast: 0.6, aim: 1 },
      },
      {
        what: `A, until the file is archived and all can be queried, ${idsName}`,
        rival: "the same guarantees by hand, from \\copy",
        unit: "rows/s",
        target: {},
      },
    ],
    async measure(stage, { records, runs = RUNS, onProgress }) {
      if (!await hasPsql()) return this.rows.map(() => ({ skipped: "no psql" }));
      onProgress("making the files");
      const warmUpRows = Math.ceil(records * WARM_UP_SHARE);
      const [warmUp] = await stage.inputs.events({ rows: warmUpRows, ids, from: WARM_UP_FROM });
      const [path] = await stage.inputs.events({ rows: records, ids });
      const files = { warmUp: warmUp!, path: path! };
      const revenues = new Set<string>();
      const settled: number[] = [];
      const loadOurs: Load = async (stage, { warmUp, path }) => {
        await using database = await stage.database();
        await using subject = await stage.subject(database);
        await loadFiles(database, subject, [warmUp]);
        const times = await loadFiles(database, subject, [path]);
        settled.push(records / times.settled);
        return { seconds: times.folded, contents: await readConsistent(database) };
      };
      const rateOf = (load: Load) => async () => {
        const { seconds, contents: { events, revenue } } = await load(stage, files);
        equal(events, warmUpRows + records);
        equal(revenues.add(revenue).size, 1, "all contenders load the same");
        return records / seconds;
      };
      // New servers are slow: files of the log have to be made, and memory is touched for the first time.
      await loadRaw(stage, files);
      // Whose ratio is close to what is asked stand side by side.
      const rates = await alternate({
        "by hand": rateOf(loadByHand),
        ours: rateOf(loadOurs),
        "raw copy": rateOf(loadRaw),
      }, {
        runs,
        onRun: (name, run, rate) => onProgress(`${name}, run ${run}: ${count(rate)} rows/s`),
      });
      return [
        compare(rates.ours, rates["by hand"]),
        compare(rates.ours, rates["raw copy"]),
        compare(settled, rates["by hand"]),
      ];
    },
  };
}

/**
 * Loads a file and tells how long that took, behind another one, which does not count: what a process takes for its first
 * seconds, such as to compile its code, is not what is compared here. The same for all.
 */
type Load = (
  stage: Stage,
  files: { readonly warmUp: string; readonly path: string },
) => Promise<{ seconds: number; contents: Contents }>;

const loadByHand: Load = async (stage, { warmUp, path }) => {
  await using database = await stage.database();
  await makeMonths(database);
  await copyByHand(database, warmUp);
  const seconds = await copyByHand(database, path);
  return { seconds, contents: await readConsistent(database) };
};

const loadRaw: Load = async (stage, { warmUp, path }) => {
  await using database = await stage.database();
  await prepareRawCopy(database);
  await makeMonths(database);
  await rawCopy(database, warmUp);
  const seconds = await rawCopy(database, path);
  return { seconds, contents: await readContents(database) };
};
