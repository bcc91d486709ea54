import { equal } from "node:assert/strict";
import { count } from "../../cli/numbers.ts";
import { alternate, compare } from "../alternate.ts";
import { readConsistent } from "../contents.ts";
import { loadFiles } from "../load_files.ts";
import type { TargetBench } from "../target.ts";

const RUNS = 3;

/** What it costs that a file is compressed. */
export const GZIP: TargetBench = {
  name: "gzip",
  rows: [{
    what: "gzip file of 1 M rows",
    rival: "the plain file",
    unit: "rows/s",
    target: { atLeast: 0.85, aim: 0.95 },
  }],
  async measure(stage, { records, runs = RUNS, onProgress }) {
    const [plain] = await stage.inputs.events({ rows: records });
    const zipped = await stage.inputs.gzip(plain!);
    const rateOf = (path: string) => async () => {
      await using database = await stage.database();
      await using subject = await stage.subject(database);
      const { folded } = await loadFiles(database, subject, [path]);
      equal((await readConsistent(database)).events, records);
      return records / folded;
    };
    const rates = await alternate({ gzip: rateOf(zipped), plain: rateOf(plain!) }, {
      runs,
      onRun: (name, run, rate) => onProgress(`${name}, run ${run}: ${count(rate)} rows/s`),
    });
    return [compare(rates.gzip, rates.plain)];
  },
};
