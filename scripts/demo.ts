/**
 * `deno task demo`: one command, on a fresh machine, to see all of it work.
 *
 * @module
 */
import { createCommand } from "./cli/create_command.ts";
import { InterruptedError } from "./cli/failures.ts";
import { liveView } from "./cli/live_view.ts";
import { readSeed, readWhole } from "./cli/option_readers.ts";
import { runTask } from "./cli/run_task.ts";
import { withPipeline } from "./cli/with_pipeline.ts";
import { readConfig } from "./config.ts";
import { type DemoOptions, runDemo } from "./demo/run_demo.ts";
import { createLogger } from "./log.ts";

const command = createCommand(
  "demo",
  "Starts everything, lands eight weeks of a shop's history in 20 files, loads them like any other\n" +
    "files, then lets the generator go live. After some seconds of that it shows what SQL can tell, and\n" +
    "stays up until Ctrl-C; with --exit it stops when every generated event is proven to be loaded.",
  {
    examples: [
      "deno task demo",
      "deno task demo --seconds 30 --exit   exit code 0 only if nothing is missing or doubled",
    ],
  },
)
  .option("--seconds <n>", "how long to be live before the results are shown", readWhole, 20)
  .option("--exit", "stop afterwards, instead of staying up")
  .option("--events <n>", "events of the history, about", readWhole, 200_000)
  .option("--seed <n>", "whole number that decides all events", readSeed, 1)
  .action(async ({ exit = false, ...options }: Omit<DemoOptions, "exit"> & { exit?: boolean }) => {
    const config = readConfig();
    const view = liveView();
    // A line for each file's start would hide what is shown.
    const level = config.logLevel === "info" ? "warn" : config.logLevel;
    const log = createLogger(level, { write: (line) => view.print(line.trimEnd()) });
    const roles = { worker: true, watch: true, dashboard: true };
    const signal = await withPipeline(config, { roles, log, progress: view.print }, (work) => {
      return runDemo(work, { ...options, exit }, view);
    });
    if (signal !== undefined && exit) throw new InterruptedError();
    console.error("Stopped");
  });

if (import.meta.main) await runTask(command);
