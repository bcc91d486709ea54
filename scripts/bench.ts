/**
 * `deno task bench`: what is fast, measured beside what others use.
 *
 * @module
 */
import { InvalidArgumentError } from "commander";
import { cpus } from "node:os";
import { join } from "node:path";
import { makeRunDirectory, testConfig } from "./_test_services.ts";
import { BENCHES } from "../tests/bench/benches.ts";
import { runBench } from "./bench/run_bench.ts";
import { benchWarehouse } from "./bench/warehouse_bench.ts";
import { createCommand } from "./cli/create_command.ts";
import { UsageError } from "./cli/failures.ts";
import { count } from "./cli/numbers.ts";
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
      "deno task bench --warehouse 1000000,10000000   what each question of shop takes, at two sizes",
    ],
  },
)
  .option("--only <name>", `one of ${BENCHES.map(({ name }) => name).join(", ")}`)
  .option("--records <n>", `about how many records a case works on (${RECORDS})`, readWhole)
  .option("--runs <n>", `runs of which the median counts (${RUNS})`, readWhole)
  .option("--warehouse <sizes>", "ask every question of shop with so many events loaded", readSizes)
  .addOption(formatOption())
  .action(
    async ({ only, warehouse, records = RECORDS, runs = RUNS, format }: {
      only?: string;
      warehouse?: number[];
      records?: number;
      runs?: number;
      format: Format;
    }) => {
      if (warehouse !== undefined) return await measureWarehouse(warehouse, runs, format);
      const chosen = BENCHES.filter(({ name }) => only === undefined || name === only);
      if (chosen.length === 0) {
        const known = BENCHES.map(({ name }) => name).join(", ");
        throw new UsageError(`Cannot measure ${only}: known are ${known}`);
      }
      sayMachine();
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

const WAREHOUSE_COLUMNS: Column[] = [
  { name: "question" },
  { name: "reads" },
  { name: "events", isNumber: true },
  { name: "rows", isNumber: true },
  { name: "ms", isNumber: true },
  { name: "growth", isNumber: true },
  { name: "plan", maxWidth: 60 },
];

/** In a home of its own, which is removed at the end. */
async function measureWarehouse(sizes: number[], runs: number, format: Format): Promise<void> {
  sayMachine();
  const directory = await makeRunDirectory((line) => console.error(line));
  try {
    const { loads, results } = await benchWarehouse(testConfig(join(directory.path, "home")), {
      sizes,
      runs,
      onProgress: (line) => console.error(line),
    });
    for (const { size, rowsPerSecond } of loads) {
      console.error(`Loaded up to ${count(size)} events at ${count(rowsPerSecond)} rows/s`);
    }
    const base = new Map(
      results.filter(({ size }) => size === sizes[0]).map(({ object, ms }) => [object, ms]),
    );
    printRows(
      WAREHOUSE_COLUMNS,
      results.toSorted((a, b) =>
        a.reads === b.reads ? a.object.localeCompare(b.object) : a.reads > b.reads ? -1 : 1
      )
        .map(({ object, reads, size, rows, ms, plan }) => [
          ...[object, reads, size, rows, round(ms)],
          size === sizes[0] ? null : round(ms / base.get(object)!),
          plan,
        ]),
      format,
    );
  } finally {
    await directory.remove();
  }
}

function sayMachine(): void {
  const [cpu] = cpus();
  console.error(`${cpus().length} × ${cpu?.model ?? "unknown"}, Deno ${Deno.version.deno}`);
}

/** Whole numbers, ascending. */
function readSizes(text: string): number[] {
  const sizes = text.split(",").map(readWhole);
  if (sizes.every((size, index) => size > (sizes[index - 1] ?? 0))) return sizes;
  throw new InvalidArgumentError("expected ascending numbers of events such as 1000000,10000000");
}

function round(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(3));
}

if (import.meta.main) await runTask(command);
