/**
 * `deno task generate`: the durable generator, or files in bulk.
 *
 * @module
 */
import { Option } from "commander";
import { createCommand } from "./cli/create_command.ts";
import { UsageError } from "./cli/failures.ts";
import {
  readInstant,
  readInterval,
  readPositive,
  readSeed,
  readWhole,
} from "./cli/option_readers.ts";
import { type Format, formatOption, printRows } from "./cli/print_rows.ts";
import { runTask } from "./cli/run_task.ts";
import { withRunning } from "./cli/with_running.ts";
import { readConfig } from "./config.ts";
import {
  commandGenerator,
  type GeneratorStatus,
  readStatus,
  startOrSteer,
  type SteerOptions,
} from "./generate/control_generator.ts";
import { writeBulk } from "./generate/write_bulk.ts";

interface GenerateOptions extends SteerOptions {
  pause?: true;
  resume?: true;
  stop?: true;
  status?: true;
  rows?: number;
  out?: string;
  gzip?: true;
  format: Format;
}

const COMMANDS = ["pause", "resume", "stop", "status"] as const;
const BULK_OPTIONS = ["rows", "out", "gzip"] as const;
const STEER_OPTIONS = ["interval", "rate", "speed"] as const;

const command = createCommand(
  "generate",
  "Starts the generator of shop events in what runs, or changes it while it runs; it lives in Temporal\n" +
    "and goes on after a restart. With --rows and --out it writes files at once, without Temporal.",
  {
    examples: [
      "deno task generate                          a file every 1 to 3 s until it is stopped",
      "deno task generate --interval 5s --rate 200",
      "deno task generate --status",
      "deno task generate --rows 1000000 --out events --files 10 --gzip",
    ],
  },
)
  .option(
    "--interval <time>",
    "time between two files, uniform: 1s..3s, 500ms or 5s (1s..3s)",
    readInterval,
  )
  .option("--rate <n>", "events a second, averaged over a week (20)", readPositive)
  .option("--files <n>", "stop after so many files; of a bulk: how many", readWhole)
  .option("--seed <n>", "whole number that decides all events (1)", readSeed)
  .option(
    "--from <time>",
    "time of the first event, RFC 3339 (now; of a bulk 2024-01-01)",
    readInstant,
  )
  .option("--speed <n>", "seconds of the feed per second; 1 is live (1)", readPositive)
  .addOption(new Option("--pause", "land no more files until --resume"))
  .option("--resume", "go on after --pause")
  .option("--stop", "end the generator after the file under way")
  .option("--status", "print what it does")
  .option("--rows <n>", "write so many events in bulk", readWhole)
  .option("--out <directory>", "where the bulk is written")
  .option("--gzip", "compress the bulk")
  .addOption(formatOption())
  .action(async (options: GenerateOptions) => {
    refuseMixtures(options);
    const config = readConfig();
    if (options.rows !== undefined && options.out !== undefined) {
      const { rows, out, gzip = false, files = 1, seed = 1, from } = options;
      return await writeBulk({ rows, directory: out, gzip, files, seed, from });
    }
    const asked = COMMANDS.find((name) => options[name]);
    const status = await withRunning(config, "generate", (running) => {
      if (asked === undefined) return startOrSteer(running, options);
      return asked === "status" ? readStatus(running) : commandGenerator(running, asked);
    });
    printStatus(status, options.format);
  });

function refuseMixtures(options: GenerateOptions): void {
  const given = (names: readonly (keyof GenerateOptions)[]) =>
    names.filter((name) => options[name] !== undefined);
  const commands = given(COMMANDS);
  const others = given([...STEER_OPTIONS, "files", "seed", "from"]);
  if (commands.length > 1 || (commands.length === 1 && others.length > 0)) {
    throw new UsageError(`Cannot run: --${commands[0]} stands alone; leave out the other options`);
  }
  const bulk = given(BULK_OPTIONS);
  if (bulk.length === 0) return;
  if (options.rows === undefined || options.out === undefined) {
    throw new UsageError("Cannot write in bulk: expected both --rows N and --out DIRECTORY");
  }
  const live = given([...COMMANDS, ...STEER_OPTIONS]);
  if (live.length > 0) {
    throw new UsageError(`Cannot write in bulk with --${live[0]}: it is for the live generator`);
  }
}

function printStatus(status: GeneratorStatus, format: Format): void {
  const columns = [
    { name: "generator" },
    { name: "files", isNumber: true },
    { name: "events", isNumber: true },
    { name: "events_per_second", isNumber: true },
    { name: "interval" },
    { name: "seed", isNumber: true },
    { name: "feed_time" },
  ];
  const { doing, files, events, rate, interval, seed, feedTime, hint } = status;
  printRows(columns, [[doing, files, events, rate, interval, seed, feedTime]], format);
  console.error(hint);
}

if (import.meta.main) await runTask(command);
