import { canRun } from "../rivals/can_run.ts";
import type { TargetBench } from "../target.ts";

/** Loaders that people would take instead, and how to tell that one is here. */
const OTHERS = [
  { name: "Spark Structured Streaming, JDBC", program: "spark-submit", args: ["--version"] },
  { name: "pgloader", program: "pgloader", args: ["--version"] },
  { name: "dlt", program: "python3", args: ["-c", "import dlt"] },
];

/** Says which of them could be measured here: a job of theirs is still to be written. */
export const OTHERS_HERE: TargetBench = {
  name: "others",
  rows: OTHERS.map(({ name }) => ({
    what: "one file of 1 M rows, the complete way",
    rival: name,
    unit: "rows/s",
    target: {},
  })),
  measure: () =>
    Promise.all(OTHERS.map(async ({ program, args }) => ({
      skipped: await canRun(program, args) ? "no job for it yet" : "not installed",
    }))),
};
