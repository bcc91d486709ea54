/**
 * `deno task files`: what became of each file, and what can be done about it.
 *
 * @module
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { FILE_STATES, type FileState } from "../domain/ledger.ts";
import { createCommand } from "./cli/create_command.ts";
import { describeFile, nextSteps } from "./cli/describe_file.ts";
import { printResults } from "./cli/print_results.ts";
import { type Cell, type Format, formatOption, printRows } from "./cli/print_rows.ts";
import { runTask } from "./cli/run_task.ts";
import { withDatabase } from "./cli/with_database.ts";
import { withRunning } from "./cli/with_running.ts";
import { readConfig } from "./config.ts";
import { cancelFile } from "./files/cancel_file.ts";
import { retryFile } from "./files/retry_file.ts";
import { readRunFile } from "./services/run_file.ts";
import { findFile } from "./statements/find_file.ts";
import { listFiles } from "./statements/list_files.ts";
import { showFile } from "./statements/show_file.ts";

const FILE_HELP = "file_id, or a name: that of the newest version is meant";

const command = createCommand(
  "files",
  "Lists and shows files of the ledger, loads one once more, or stops one from being loaded.",
  {
    examples: [
      "deno task files list --state failed",
      "deno task files show 7            why, where, and how to go on",
      "deno task files retry 7           after the cause was corrected, or the file itself",
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

subcommand("list", "prints the newest files, newest first")
  .addOption(new Option("--state <state>", "only files in this state").choices(FILE_STATES))
  .option("--limit <n>", "at most this many", readLimit, 20)
  .action(async (options: { state?: FileState; limit: number; format: Format }) => {
    const { state = null, limit, format } = options;
    const files = await withDatabase(readConfig(), "reader", (sql) => {
      return listFiles(sql, { state, limit });
    });
    const rows = files.map((file): Cell[] => [
      file.file_id,
      file.file_name,
      file.state,
      file.size_bytes,
      file.records,
      file.loaded,
      file.duplicates,
      file.rejected,
      format === "table" ? shortTime(file.discovered_at) : file.discovered_at.toISOString(),
      file.reason,
    ]);
    if (rows.length === 0 && format === "table") console.error("No files");
    else printRows(LIST_COLUMNS, rows, format);
  });

subcommand("show", "tells all about a file: counts, times, chunks, rejects, how to go on")
  .argument("<file>", FILE_HELP)
  .action(async (name: string, { format }: { format: Format }) => {
    const config = readConfig();
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

function subcommand(name: string, description: string): Command {
  return command.command(name).description(description).addOption(formatOption());
}

/** In UTC, to the second. */
function shortTime(time: Date): string {
  return time.toISOString().slice(0, 19).replace("T", " ");
}

function readLimit(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number from 1");
}

if (import.meta.main) await runTask(command);
