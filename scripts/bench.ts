/**
 * `deno task bench`: what is fast, measured beside what others use.
 *
 * @module
 */
import { InvalidArgumentError } from "commander";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BENCHES as PARTS } from "../tests/bench/benches.ts";
import { makeRunDirectory, type RunDirectory, testConfig } from "./_test_services.ts";
import { killChildren } from "./bench/children.ts";
import { measureGrowth } from "./bench/growth/measure_growth.ts";
import { GROWTH_COLUMNS, renderPoint } from "./bench/growth/render_growth.ts";
import { writeGrowth } from "./bench/growth/write_growth.ts";
import { measureTargets } from "./bench/measure_targets.ts";
import { PART_COLUMNS, renderPart } from "./bench/render_parts.ts";
import { LIST_COLUMNS, listTargets, renderResult, RESULT_COLUMNS } from "./bench/render_targets.ts";
import { renderWarehouse, WAREHOUSE_COLUMNS } from "./bench/render_warehouse.ts";
import { runBench } from "./bench/run_bench.ts";
import { openStage, type Stage } from "./bench/stage.ts";
import { TARGET_BENCHES } from "./bench/target_benches.ts";
import { benchWarehouse } from "./bench/warehouse_bench.ts";
import { createCommand } from "./cli/create_command.ts";
import { InterruptedError, UsageError } from "./cli/failures.ts";
import { count } from "./cli/numbers.ts";
import { readWhole } from "./cli/option_readers.ts";
import { type Format, formatOption, printRows } from "./cli/print_rows.ts";
import { runTask } from "./cli/run_task.ts";
import { stopSignals } from "./cli/stop_signals.ts";
import { startServices } from "./services/start_services.ts";

const RECORDS = 1_000_000;
const RUNS = 3;
const DOCS = fileURLToPath(new URL("../docs", import.meta.url));

interface Options {
  only?: string[];
  list?: boolean;
  records?: number;
  runs?: number;
  warehouse?: number[];
  growth?: string | true;
  format: Format;
}

const command = createCommand(
  "bench",
  "Measures the whole pipeline beside its rivals, on the same input in the same run. It takes about an hour;\n" +
    "everything lies in a home of its own, which is removed at the end.\n\n" +
    `Targets: ${TARGET_BENCHES.map(({ name }) => name).join(", ")}\n` +
    "Parts, measured only when named:\n" +
    PARTS.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join("\n"),
  {
    examples: [
      "deno task bench",
      "deno task bench --only one-file-v7 --records 200000 --runs 1",
      "deno task bench --only scan --format csv",
      "deno task bench --growth --records 100000      how cost grows, to docs/performance.md",
      "deno task bench --warehouse 1000000,10000000   what each question of shop takes, at two sizes",
    ],
  },
)
  .option("--only <names>", "targets, or parts, joined by commas", (text) => text.split(","))
  .option("--list", "list the targets, and measure nothing")
  .option("--records <n>", `about how many records a large file has (${RECORDS})`, readWhole)
  .option(
    "--runs <n>",
    `runs of which the median counts (${RUNS}, more or fewer of some)`,
    readWhole,
  )
  .option("--warehouse <sizes>", "ask every question of shop with so many events loaded", readSizes)
  .option(
    "--growth [docs]",
    "measure how cost grows, up to ten times the records, and write table and plot to docs",
  )
  .addOption(formatOption())
  .action(async ({ only, list, warehouse, growth, ...amount }: Options) => {
    if (list) return printRows(LIST_COLUMNS, listTargets(TARGET_BENCHES), amount.format);
    const parts = PARTS.filter(({ name }) => only?.includes(name));
    const targets = TARGET_BENCHES.filter(({ name }) => only?.includes(name) ?? true);
    refuseUnknown(only);
    say(machine());
    if (warehouse !== undefined) return await printWarehouse(warehouse, amount);
    if (growth !== undefined) return await printGrowth(growth === true ? DOCS : growth, amount);
    if (parts.length > 0) await printParts(parts, amount);
    if (targets.length > 0) await printTargets(targets, amount);
  });

async function printTargets(
  benches: typeof TARGET_BENCHES,
  { records = RECORDS, runs, format }: Options,
): Promise<void> {
  if (records !== RECORDS) say(`Sizes in the table are those of ${count(RECORDS)} records`);
  await onStage(async (stage) => {
    const amount = { records, ...(runs !== undefined && { runs }), onProgress: say };
    const results = await measureTargets(benches, stage, amount);
    printRows(RESULT_COLUMNS, results.map(renderResult), format);
  });
}

async function printGrowth(docs: string, { records = RECORDS, format }: Options): Promise<void> {
  await onStage(async (stage) => {
    const points = await measureGrowth(stage, { records, onProgress: say });
    printRows(GROWTH_COLUMNS, points.map(renderPoint), format);
    const size = records === RECORDS ? "" : ` --records ${records}`;
    const measured = { machine: machine(), command: `deno task bench --growth${size}` };
    for (const path of await writeGrowth(docs, points, measured)) say(`Wrote ${path}`);
  });
}

async function printParts(
  parts: typeof PARTS,
  { records = RECORDS, runs = RUNS, format }: Options,
): Promise<void> {
  const results = [];
  for (const part of parts) {
    results.push(...await runBench(part, { records, runs, onCase: say }));
  }
  printRows(PART_COLUMNS, results.map(renderPart), format);
}

async function printWarehouse(sizes: number[], { runs = RUNS, format }: Options): Promise<void> {
  await inOwnDirectory(async ({ path }) => {
    const { loads, results } = await benchWarehouse(testConfig(join(path, "home")), {
      sizes,
      runs,
      onProgress: say,
    });
    for (const { size, rowsPerSecond } of loads) {
      say(`Loaded up to ${count(size)} events at ${count(rowsPerSecond)} rows/s`);
    }
    printRows(WAREHOUSE_COLUMNS, renderWarehouse(results), format);
  });
}

/** With servers of its own. */
async function onStage(work: (stage: Stage) => Promise<void>): Promise<void> {
  await inOwnDirectory(async ({ path }) => {
    await using services = await startServices(testConfig(join(path, "home")), { progress: say });
    await using stage = await openStage(services, path);
    await work(stage);
  });
}

/** Whatever ends the work, what it started is ended and what it wrote is removed. */
async function inOwnDirectory(work: (directory: RunDirectory) => Promise<void>): Promise<void> {
  using signals = stopSignals(() => Deno.exit(130));
  const interrupted = signals.first.then(() => {
    // What is under way fails when its servers end, wherever it is: nobody waits for it any more.
    globalThis.addEventListener("unhandledrejection", (event) => event.preventDefault());
    throw new InterruptedError();
  });
  const directory = await makeRunDirectory(say);
  try {
    await Promise.race([work(directory), interrupted]);
  } finally {
    await killChildren();
    await directory.remove();
  }
}

function refuseUnknown(names: readonly string[] = []): void {
  const known = [...TARGET_BENCHES, ...PARTS].map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new UsageError(`Cannot measure ${unknown}: known are ${known.join(", ")}`);
}

function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} × ${cpu?.model ?? "unknown"}, Deno ${Deno.version.deno}`;
}

function say(line: string): void {
  console.error(line);
}

/** Whole numbers, ascending. */
function readSizes(text: string): number[] {
  const sizes = text.split(",").map(readWhole);
  if (sizes.every((size, index) => size > (sizes[index - 1] ?? 0))) return sizes;
  throw new InvalidArgumentError("expected ascending numbers of events such as 1000000,10000000");
}

if (import.meta.main) await runTask(command);
