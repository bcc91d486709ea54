/**
 * `deno task files`: what became of each file, and what can be done about it.
 *
 * @module
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { FILE_STATES, type FileState } from "../domain/ledger.ts";
import { renderFault } from "../domain/render_fault.ts";
import { createCommand } from "./cli/create_command.ts";
import { describeFile, nextSteps } from "./cli/describe_file.ts";
import { escapeBytes } from "./cli/escape_bytes.ts";
import { TaskError } from "./cli/failures.ts";
import { bytes, count, countOf } from "./cli/numbers.ts";
import { printResults } from "./cli/print_results.ts";
import { type Cell, type Format, formatOption, printRows } from "./cli/print_rows.ts";
import { printable } from "./cli/printable.ts";
import { runTask } from "./cli/run_task.ts";
import { withDatabase } from "./cli/with_database.ts";
import { withRunning } from "./cli/with_running.ts";
import { type Config, readConfig } from "./config.ts";
import { cancelFile } from "./files/cancel_file.ts";
import { replaceFile } from "./files/replace_file.ts";
import { unloadFile } from "./files/unload_file.ts";
import { steerFile } from "./files/steer_file.ts";
import { retryFile } from "./files/retry_file.ts";
import { readRunFile } from "./services/run_file.ts";
import type { FileProgress } from "./statements/file_progress.ts";
import { findFile } from "./statements/find_file.ts";
import { type ListedFile, listFiles } from "./statements/list_files.ts";
import type { Contradiction } from "./statements/older_versions.ts";
import { showFile } from "./statements/show_file.ts";
import { type ShownReject, showRejects } from "./statements/show_rejects.ts";

const FILE_HELP = "file_id, or a name: that of the newest version is meant";

const command = createCommand(
  "files",
  "Lists and shows files of the ledger, loads one once more, or stops one for a while or for good.",
  {
    examples: [
      "deno task files list --state failed",
      "deno task files show 7            why, where, and how to go on",
      "deno task files show 7 --raw      its rejected records, with faults and bytes",
      "deno task files retry 7           after the cause was corrected, or the file itself",
      "deno task files pause big.csv     stops loading at a chunk border; resume goes on",
      "deno task files cancel big.csv    stops loading, and takes out what was loaded",
    ],
  },
);

const LIST_COLUMNS = [
  { name: "file_id", isNumber: true },
  { name: "file_name" },
  { name: "state" },
  { name: "size_bytes", isNumber: true },
  { name: "records", isNumber: true },
  { name: "loaded", isNumber: true },
  { name: "duplicates", isNumber: true },
  { name: "rejected", isNumber: true },
  { name: "discovered_at" },
  { name: "reason" },
];

/** For people: what fits the width of a page; `records` is the sum of the three counts. */
const TABLE_COLUMNS = [
  { name: "file", isNumber: true },
  { name: "file_name" },
  { name: "state" },
  { name: "size", isNumber: true },
  { name: "loaded", isNumber: true },
  { name: "dup.", isNumber: true },
  { name: "rej.", isNumber: true },
  { name: "discovered" },
  { name: "reason", maxWidth: 14 },
];

subcommand("list", "prints the newest files, newest first")
  .addOption(new Option("--state <state>", "only files in this state").choices(FILE_STATES))
  .option("--limit <n>", "at most this many", readLimit, 20)
  .action(async (options: { state?: FileState; limit: number; format: Format }) => {
    const { state = null, limit, format } = options;
    const config = readConfig();
    const files = await withDatabase(config, "reader", (sql) => {
      return listFiles(sql, { state, limit });
    });
    if (format === "table") printListed(files);
    else printRows(LIST_COLUMNS, files.map(listCells), format);
    await sayWhenNothingRuns(config, [state, ...files.map((file) => file.state)]);
  });

subcommand("show", "tells all about a file: counts, times, chunks, rejects, how to go on")
  .argument("<file>", FILE_HELP)
  .option("--raw", "print rejected records instead: line, faults and bytes, as operator")
  .option("--limit <n>", "with --raw: at most this many", readLimit, 20)
  .action(async (name: string, options: { raw?: true; limit: number; format: Format }) => {
    const { raw, limit, format } = options;
    const config = readConfig();
    if (raw) return await printRejects(config, name, { limit, format });
    const shown = await withDatabase(config, "reader", async (sql) => {
      return showFile(sql, (await findFile(sql, name)).fileId);
    });
    if (format === "json") {
      console.log(JSON.stringify({ ...shown, next: nextSteps(shown.file) }, null, 2));
    } else if (format === "csv") {
      const names = Object.keys(shown.file).map((name) => ({ name }));
      printRows(names, [Object.values(shown.file)], format);
    } else {
      const webUiUrl = (await readRunFile(config.home))?.webUiUrl;
      console.log(describeFile(shown, webUiUrl));
    }
  });

subcommand(
  "retry",
  "loads a failed, cancelled or unloaded file once more, and waits for the result",
)
  .argument("<file>", FILE_HELP)
  .action(async (name: string, { format }: { format: Format }) => {
    const config = readConfig();
    const result = await withRunning(config, `retry ${name}`, (running) => {
      return retryFile(running, name, config);
    });
    printResults([result], format);
    if (result.state !== "loaded" && result.state !== "duplicate") Deno.exitCode = 1;
  });

subcommand("cancel", "stops loading a file, and waits until nothing of it is left")
  .argument("<file>", FILE_HELP)
  .action(async (name: string, { format }: { format: Format }) => {
    const result = await withRunning(readConfig(), `cancel ${name}`, (running) => {
      return cancelFile(running, name);
    });
    printResults([result], format);
  });

subcommand("unload", "takes a loaded file out again; events that others also have stay theirs")
  .argument("<file>", FILE_HELP)
  .action(async (name: string, { format }: { format: Format }) => {
    const config = readConfig();
    const { file, copies, replayed } = await withRunning(config, `unload ${name}`, (running) => {
      return unloadFile(running, name, config);
    });
    printResults([file], format);
    if (replayed > 0) {
      console.error(
        `${countOf(replayed, "record")} of other files had contradicted it, and no more: replayed`,
      );
    }
    if (copies.length > 0) console.error(`Files with the same bytes: ${copies.join(", ")}`);
    console.error(`To load it again: deno task files retry ${file.fileId}`);
  });

subcommand(
  "replace",
  "applies a corrected version of a file: takes out the one before it, and older ones that contradict it",
)
  .argument("<new>", "the corrected one: file_id, or the name that they have")
  .action(async (name: string, { format }: { format: Format }) => {
    const config = readConfig();
    const { file, takenOut, contradictions } = await withRunning(
      config,
      `replace by ${name}`,
      (running) => replaceFile(running, name, config),
    );
    printResults([file], format);
    if (takenOut.length > 0) console.error(`Taken out for it: ${takenOut.join(", ")}`);
    if (contradictions.length > 0) {
      throw new TaskError(describeContradictions(file, contradictions));
    }
  });

for (const operation of ["pause", "resume"] as const) {
  const what = operation === "pause"
    ? "stops loading a file at the next chunk border, until it is resumed; what is loaded stays"
    : "lets a paused file go on";
  subcommand(operation, what)
    .argument("<file>", FILE_HELP)
    .action(async (name: string, { format }: { format: Format }) => {
      const result = await withRunning(readConfig(), `${operation} ${name}`, (running) => {
        return steerFile(running, operation, name);
      });
      printResults([result], format);
    });
}

function describeContradictions(
  { fileId }: FileProgress,
  contradictions: readonly Contradiction[],
): string {
  const reasons = contradictions.map((other) =>
    other.fileId === null
      ? `${countOf(other.records, "record")} cannot be read again: see deno task rejects list ` +
        `--each --file ${fileId}`
      : `file ${other.fileId} (${printable(other.fileName ?? "")}) holds ` +
        `${
          countOf(other.records, "event")
        } of it with other content; if file ${fileId} is right: ` +
        `deno task files unload ${other.fileId}`
  );
  return `Cannot replace by file ${fileId} in full: ${reasons.join("; ")}`;
}

function subcommand(name: string, description: string): Command {
  return command.command(name).description(description).addOption(formatOption());
}

function listCells(file: ListedFile): Cell[] {
  return [
    file.file_id,
    file.file_name,
    file.state,
    file.size_bytes,
    file.records,
    file.loaded,
    file.duplicates,
    file.rejected,
    file.discovered_at.toISOString(),
    file.reason,
  ];
}

function printListed(files: readonly ListedFile[]): void {
  if (files.length === 0) return console.error("No files");
  const rows = files.map((file): Cell[] => [
    file.file_id,
    file.file_name,
    file.state,
    bytes(file.size_bytes),
    file.loaded,
    file.duplicates,
    file.rejected,
    shortTime(file.discovered_at),
    file.reason?.replaceAll("_", " ") ?? null,
  ]);
  printRows(TABLE_COLUMNS, rows, "table");
}

/** Files are loaded by what runs here, unless the database is one that others use as well. */
async function sayWhenNothingRuns(
  config: Config,
  states: readonly (FileState | null)[],
): Promise<void> {
  if (!states.some((state) => state === "loading" || state === "unloading")) return;
  if (config.databaseUrl !== undefined || await readRunFile(config.home)) return;
  console.error(
    `Nothing runs in ${config.home}: what is under way goes on once \`deno task dev\` runs`,
  );
}

async function printRejects(
  config: Config,
  name: string,
  { limit, format }: { limit: number; format: Format },
): Promise<void> {
  const { rejects, rejected } = await withDatabase(config, "operator", async (sql) => {
    const { fileId } = await findFile(sql, name);
    const { file } = await showFile(sql, fileId);
    return { rejects: await showRejects(sql, { fileId, limit }), rejected: file.rejected ?? 0 };
  });
  const columns = [{ name: "line", isNumber: true }, { name: "faults" }, { name: "raw" }, {
    name: "is_cut",
  }];
  const rows = rejects.map(({ line, faults, raw, isCut }): Cell[] => {
    return [line, faults, escapeBytes(raw), isCut];
  });
  if (format !== "table") return printRows(columns, rows, format);
  for (const reject of rejects) console.log(describeReject(reject));
  if (rejects.length === 0) console.error("No rejects");
  else if (rejects.length < rejected) {
    console.error(`${count(rejects.length)} of ${countOf(rejected, "reject")}: --limit shows more`);
  }
}

function describeReject({ line, faults, raw, isCut }: ShownReject): string {
  const why = faults.map((fault) => renderFault(fault)).join("; ");
  return `Line ${line}: ${why}\n  ${escapeBytes(raw)}${isCut ? " … (cut)" : ""}`;
}

/** In UTC: month, day, hour and minute; all of it shows with `--format json`. */
function shortTime(time: Date): string {
  return time.toISOString().slice(5, 16).replace("T", " ");
}

function readLimit(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number from 1");
}

if (import.meta.main) await runTask(command);
