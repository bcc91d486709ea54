/**
 * `deno task bench`: what is fast, measured beside what others use.
 *
 * @module
 */
import { cpus } from "node:os";
import { BENCHES } from "../tests/bench/benches.ts";
import { runBench } from "./bench/run_bench.ts";
import { createCommand } from "./cli/create_command.ts";
import { UsageError } from "./cli/failures.ts";
import { readWhole } from "./cli/option_readers.ts";
import { type Column, type Format, formatOption, printRows } from "./cli/print_rows.ts";
import { runTask } from "./cli/run_task.ts";

const RECORDS = 1_000_000;
const RUNS = 3;

const COLUMNS: Column[] = [
  { name: "bench" },
  { name: "input" },
  { name: "what" },
  { name: "records", isNumber: true },
  { name: "seconds", isNumber: true },
  { name: "records_per_second", isNumber: true },
  { name: "mb_per_second", isNumber: true },
  { name: "times_rival", isNumber: true },
];

const command = createCommand(
  "bench",
  "Measures what is fast beside what others use, on the same input in the same run, and prints a table.\n" +
    BENCHES.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join("\n"),
  {
    examples: [
      "deno task bench",
      "deno task bench --only scan --format csv",
    ],
  },
)
  .option("--only <name>", `one of ${BENCHES.map(({ name }) => name).join(", ")}`)
  .option("--records <n>", `about how many records a case works on (${RECORDS})`, readWhole)
  .option("--runs <n>", `runs of which the median counts (${RUNS})`, readWhole)
  .addOption(formatOption())
  .action(
    async ({ only, records = RECORDS, runs = RUNS, format }: {
      only?: string;
      records?: number;
      runs?: number;
      format: Format;
    }) => {
      const chosen = BENCHES.filter(({ name }) => only === undefined || name === only);
      if (chosen.length === 0) {
        const known = BENCHES.map(({ name }) => name).join(", ");
        throw new UsageError(`Cannot measure ${only}: known are ${known}`);
      }
      const [cpu] = cpus();
      console.error(`${cpus().length} × ${cpu?.model ?? "unknown"}, Deno ${Deno.version.deno}`);
      const results = [];
      for (const bench of chosen) {
        const onCase = (what: string) => console.error(what);
        results.push(...await runBench(bench, { records, runs, onCase }));
      }
      printRows(
        COLUMNS,
        results.map((result) => [
          ...[result.bench, result.input, result.what, result.records, round(result.seconds)],
          Math.round(result.recordsPerSecond),
          ...[round(result.megabytesPerSecond), round(result.timesRival)],
        ]),
        format,
      );
    },
  );

function round(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(3));
}

if (import.meta.main) await runTask(command);
