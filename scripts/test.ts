/**
 * `deno task test`: the whole suite, or the paths and names given.
 *
 * Tests of `domain/` and the examples in its documentation need no services and run while these
 * start. Ends with one line, `N passed, N failed`, counted from the reports of `deno test`.
 *
 * Signals: Ctrl-C in a terminal reaches this process and `deno test`, which share the foreground
 * process group, and this one a second time through `deno task`, which passes signals on; a
 * signal sent to `deno task` alone reaches only this process, which passes it on. The services
 * have sessions of their own and end last.
 *
 * @module
 */
import { join } from "node:path";
import { makeRunDirectory, startTestServices, withoutSettings } from "./_test_services.ts";
import { recordProcess } from "./services/processes.ts";
import { addCounts, countTests, renderCounts, type TestCounts } from "./count_tests.ts";

const USAGE = `Usage: deno task test [--unit] [PATH | NAME]...
       deno task test --torture [--seed S] [--seeds N] [--minutes M] [--files N]

Runs the tests of the files or directories given, or those whose names contain NAME; without
arguments all. --unit: only those of domain/, which need no services.

--torture: a seeded mix of all faults while files load, then every event and every planted fault is
looked up in the database. --seed S: the first seed (else any); --seeds N: so many of them, one after
the other; --minutes M: further ones until M minutes have passed. Each seed ends with a line of its
own, and one that fails with the command that repeats it. --files N: instead, or before the seeds if
one of the other options is given, N files of which most lie there at the start; ends with a line of
figures.

The last line is "N passed, N failed". Exit code: 0 all passed, 1 some failed or none ran,
2 wrong usage, 130 interrupted.`;

const UNIT_PATHS = ["domain", "tests/domain"];

/** What one call of `deno test` gets. */
interface TestRun {
  readonly args: readonly string[];
  readonly needsServices: boolean;
  readonly env?: Record<string, string>;
}

const SEEDED = "tests/faults/torture_test.ts";
const MANY_FILES = "tests/faults/many_files_test.ts";

/** Options of `--torture`, which test each is for, and under which name it finds it. */
const TORTURE_OPTIONS: Record<string, { path: string; name: string }> = {
  "--files": { path: MANY_FILES, name: "CLICKLEDGER_TEST_FILES" },
  "--seed": { path: SEEDED, name: "CLICKLEDGER_TEST_SEED" },
  "--seeds": { path: SEEDED, name: "CLICKLEDGER_TEST_SEEDS" },
  "--minutes": { path: SEEDED, name: "CLICKLEDGER_TEST_MINUTES" },
};

const progress = (line: string) => console.error(line);
const interrupted = new AbortController();
let testing: Deno.ChildProcess | undefined;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.addSignalListener(signal, () => {
    interrupted.abort();
    try {
      testing?.kill(signal);
    } catch {
      // It has ended.
    }
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(USAGE);
    return 0;
  }
  const planned = args.includes("--torture") ? planTorture(args) : await planRuns(args);
  if (typeof planned === "string") {
    console.error(`Cannot run tests: ${planned}\n\n${USAGE}`);
    return 2;
  }
  const runs = planned;
  const directory = await makeRunDirectory(progress);
  try {
    const counts = addCounts(await runAll(runs, directory.path).catch(countAsFailure));
    if (interrupted.signal.aborted) console.error("Interrupted");
    else if (counts.passed + counts.failed === 0) console.error("Cannot run tests: none matches");
    console.log(renderCounts(counts));
    if (interrupted.signal.aborted) return 130;
    return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
  } finally {
    await directory.remove();
  }
}

/** The services did not start: said plainly, and still with the closing line. */
function countAsFailure(error: unknown): TestCounts[] {
  console.error(error instanceof Error ? error.message : error);
  return [{ passed: 0, failed: 1, skipped: 0 }];
}

/** One run for each kind of torture that is asked for; a text says what is wrong with the options. */
function planTorture(args: string[]): TestRun[] | string {
  const env: Record<string, string> = {};
  const paths = new Set<string>();
  const rest = args.filter((arg) => arg !== "--torture").flatMap((arg) => arg.split("=", 2));
  for (let index = 0; index < rest.length; index += 2) {
    const [option = "", value = ""] = rest.slice(index, index + 2);
    const asked = TORTURE_OPTIONS[option];
    if (!asked) return `unknown option ${option}`;
    if (!/^\d{1,9}$/.test(value)) return `${option} needs a whole number`;
    env[asked.name] = value;
    paths.add(asked.path);
  }
  if (paths.size === 0) paths.add(SEEDED);
  return [...paths].sort().map((path) => ({ args: [path], needsServices: true, env }));
}

async function planRuns(args: string[]): Promise<TestRun[] | string> {
  const wrong = args.find((arg) => arg.startsWith("-") && arg !== "--unit");
  if (wrong) return `unknown option ${wrong}`;
  const paths: string[] = [];
  const names: string[] = [];
  for (const arg of args.filter((arg) => arg !== "--unit")) {
    const exists = await Deno.stat(arg).then(() => true, () => false);
    (exists ? paths : names).push(arg);
  }
  const filter = names.length > 0 ? [`--filter=/${names.map(escapePattern).join("|")}/`] : [];
  if (paths.length > 0) {
    const isUnit = paths.every((path) => UNIT_PATHS.some((unit) => isBelow(path, unit)));
    return [{ args: [...filter, ...docOption(paths), ...paths], needsServices: !isUnit }];
  }
  const unit = { args: [...filter, "--doc", ...UNIT_PATHS], needsServices: false };
  if (args.includes("--unit")) return [unit];
  const rest = { args: [...filter, "--ignore=tests/domain", "tests"], needsServices: true };
  return [unit, rest];
}

/** Examples in documentation are tested where they are promised to run: in `domain/`. */
function docOption(paths: string[]): string[] {
  return paths.some((path) => isBelow(path, "domain")) ? ["--doc"] : [];
}

function isBelow(path: string, directory: string): boolean {
  const root = join(Deno.cwd(), directory);
  const absolute = join(Deno.cwd(), path);
  return absolute === root || absolute.startsWith(`${root}/`);
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

async function runAll(runs: TestRun[], directory: string): Promise<TestCounts[]> {
  const starting = runs.some(({ needsServices }) => needsServices)
    ? startTestServices(directory, progress)
    : undefined;
  // Awaited below, or in `finally`; until then a failed start is not an unhandled rejection.
  starting?.catch(() => {});
  try {
    const counts: TestCounts[] = [];
    for (const [index, run] of runs.entries()) {
      const env = run.needsServices ? (await starting)?.env : {};
      if (interrupted.signal.aborted) break;
      counts.push(await runTests(run, { directory, index, env: { ...env, ...run.env } }));
    }
    return counts;
  } finally {
    await (await starting?.catch(() => undefined))?.services.stop();
  }
}

async function runTests(
  { args }: TestRun,
  { directory, index, env }: { directory: string; index: number; env: Record<string, string> },
): Promise<TestCounts> {
  const reportFile = join(directory, `report-${index}.xml`);
  const reportOption = `--junit-path=${reportFile}`;
  testing = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", reportOption, ...args],
    clearEnv: true,
    env: { ...withoutSettings(Deno.env.toObject()), TMPDIR: join(directory, "tmp"), ...env },
    stdin: "null",
  }).spawn();
  // After a kill -9 of this process the next run ends it, before it clears its directory away.
  await recordProcess(directory, { name: "tests", marker: reportOption, pid: testing.pid });
  const { success } = await testing.status;
  testing = undefined;
  return countTests(await Deno.readTextFile(reportFile).catch(() => undefined), success);
}
