/**
 * `deno task generate`: the durable generator, or files in bulk.
 *
 * @module
 */
import { Option } from "commander";
import { REES46 } from "../domain/generator/rees46.ts";
import { createCommand } from "./cli/create_command.ts";
import { UsageError } from "./cli/failures.ts";
import {
  readFaults,
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
import { printProfile, PROFILE_EVENTS } from "./generate/print_profile.ts";
import { readProfile } from "./generate/read_profile.ts";
import { writeBulk } from "./generate/write_bulk.ts";

interface GenerateOptions extends SteerOptions {
  pause?: true;
  resume?: true;
  stop?: true;
  status?: true;
  rows?: number;
  out?: string;
  gzip?: true;
  profile?: true;
  events?: number;
  seeds?: number;
  profileFile?: string;
  format: Format;
}

const COMMANDS = ["pause", "resume", "stop", "status"] as const;
const BULK_OPTIONS = ["rows", "out", "gzip"] as const;
const STEER_OPTIONS = ["interval", "rate", "speed"] as const;
/** For a start, a change and a bulk. */
const SHARED_OPTIONS = ["files", "seed", "from", "faults", "truth"] as const;
const PROFILE_OPTIONS = ["profile", "events", "seeds"] as const;

const command = createCommand(
  "generate",
  "Starts the generator of shop events in what runs, or changes it while it runs; it lives in Temporal\n" +
    "and goes on after a restart. With --rows and --out it writes files at once, without Temporal.\n" +
    "With --profile it compares what it generates with figures published about real shops.",
  {
    examples: [
      "deno task generate                          a file every 1 to 3 s until it is stopped",
      "deno task generate --interval 5s --rate 200",
      "deno task generate --from 2026-01-01 --speed 3600   a past period, an hour a second",
      "deno task generate --faults duplicate=0.01,broken_quote   plant faults, and list them",
      "deno task generate --status",
      "deno task generate --rows 1000000 --out events --files 10 --gzip",
      "deno task generate --profile --seeds 3",
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
  .option(
    "--faults <shares>",
    "share of events and files at fault: 0.01, or by kind: duplicate=0.01,renamed (0)",
    readFaults,
  )
  .option(
    "--truth <directory>",
    "where the faults planted are listed (truth beside the inbox; of a bulk OUT.truth)",
  )
  .addOption(new Option("--pause", "land no more files until --resume"))
  .option("--resume", "go on after --pause")
  .option("--stop", "end the generator after the file under way")
  .option("--status", "print what it does")
  .option("--rows <n>", "write so many events in bulk", readWhole)
  .option("--out <directory>", "where the bulk is written")
  .option("--gzip", "compress the bulk")
  .option(
    "--profile",
    "print figures of generated events beside published ones; exit 1 if one is off",
  )
  .option("--events <n>", `of a profile: about so many events (${PROFILE_EVENTS})`, readWhole)
  .option("--seeds <n>", "of a profile: so many seeds, from --seed on (1)", readWhole)
  .option("--profile-file <file>", "of a profile or bulk: your own shop, as docs/generator.md says")
  .addOption(formatOption())
  .action(async (options: GenerateOptions) => {
    refuseMixtures(options);
    const { seed = 1, format, profileFile } = options;
    const shop = profileFile === undefined ? REES46 : await readProfile(profileFile);
    if (options.profile) return printProfile({ ...options, seed, shop, format });
    const config = readConfig();
    if (options.rows !== undefined && options.out !== undefined) {
      const { rows, out, gzip = false, files = 1, from, faults, truth } = options;
      const bulk = { rows, directory: out, gzip, files, seed, from, faults, truth };
      return await writeBulk({ ...bulk, profile: shop });
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
  const others = given([...STEER_OPTIONS, ...SHARED_OPTIONS]);
  if (commands.length > 1 || (commands.length === 1 && others.length > 0)) {
    throw new UsageError(`Cannot run: --${commands[0]} stands alone; leave out the other options`);
  }
  const profile = given(PROFILE_OPTIONS);
  if (profile.length > 0) return refuseBesideProfile(options, given);
  const bulk = given(BULK_OPTIONS);
  if (bulk.length === 0) {
    if (options.profileFile === undefined) return;
    throw new UsageError("Cannot use --profile-file: it is for --rows and --profile");
  }
  if (options.rows === undefined || options.out === undefined) {
    throw new UsageError("Cannot write in bulk: expected both --rows N and --out DIRECTORY");
  }
  const live = given([...COMMANDS, ...STEER_OPTIONS]);
  if (live.length > 0) {
    throw new UsageError(`Cannot write in bulk with --${live[0]}: it is for the live generator`);
  }
}

function refuseBesideProfile(
  { profile }: GenerateOptions,
  given: (names: readonly (keyof GenerateOptions)[]) => string[],
): void {
  if (profile === undefined) {
    throw new UsageError("Cannot run: --events and --seeds need --profile");
  }
  const others = given([...COMMANDS, ...BULK_OPTIONS, ...STEER_OPTIONS, ...SHARED_OPTIONS])
    .filter((name) => name !== "seed");
  if (others.length > 0) {
    throw new UsageError(`Cannot compare the profile with --${others[0]}: it only prints a table`);
  }
}

function printStatus(status: GeneratorStatus, format: Format): void {
  const columns = [
    { name: "generator" },
    { name: "files", isNumber: true },
    { name: "events", isNumber: true },
    { name: "events_per_second", isNumber: true },
    { name: "interval" },
    { name: "speed", isNumber: true },
    { name: "seed", isNumber: true },
    { name: "feed_time" },
    { name: "faults" },
    { name: "faults_planted", isNumber: true },
  ];
  const { doing, files, events, rate, interval, speed, seed, feedTime, hint } = status;
  const { faults, faultsPlanted } = status;
  const row = [doing, files, events, rate, interval, speed, seed, feedTime, faults, faultsPlanted];
  printRows(columns, [row], format);
  console.error(hint);
}

if (import.meta.main) await runTask(command);
