import { equal } from "node:assert/strict";
import { count } from "../../cli/numbers.ts";
import { alternate, compare } from "../alternate.ts";
import { readConsistent } from "../contents.ts";
import { loadFiles } from "../load_files.ts";
import { runNoopWorkflows } from "../rivals/noop_workflows.ts";
import type { TargetBench } from "../target.ts";

const ROWS_PER_FILE = 100;
/** 5,000 files where a large file has a million rows. */
const RECORDS_PER_FILE = 200;
/** A pair is up to a fifth off. */
const RUNS = 3;

/** Many small files at once: what a workflow for each costs. */
export const BACKLOG: TargetBench = {
  name: "backlog",
  rows: [{
    what: "backlog of 5,000 files of 100 rows, a workflow each",
    rival: "no-op workflows with one activity, same server",
    unit: "files/s",
    target: { atLeast: 1.2, aim: 1.6 },
  }],
  async measure(stage, { records, runs = RUNS, onProgress }) {
    const files = Math.ceil(records / RECORDS_PER_FILE);
    const paths = await stage.inputs.small({ files, rows: ROWS_PER_FILE });
    const rates = await alternate({
      async ours() {
        await using database = await stage.database();
        await using subject = await stage.subject(database);
        const { settled } = await loadFiles(database, subject, paths);
        equal((await readConsistent(database)).events, files * ROWS_PER_FILE);
        return files / settled;
      },
      "no-op": async () => files / await runNoopWorkflows(stage.services.temporalAddress, files),
    }, {
      runs,
      onRun: (name, run, rate) => onProgress(`${name}, run ${run}: ${count(rate)} files/s`),
    });
    return [compare(rates.ours, rates["no-op"])];
  },
};
