/**
 * `deno task rejects`: the quarantine.
 *
 * @module
 */
import { type Command, Option } from "commander";
import type { Sql } from "../activities/database.ts";
import { RECORD_FAULT_CODES } from "../domain/faults.ts";
import type { ReplayResult } from "../domain/ingest_api.ts";
import { renderFault } from "../domain/render_fault.ts";
import { SHOP_EVENTS } from "../domain/shop_events.ts";
import { createCommand } from "./cli/create_command.ts";
import { escapeBytes } from "./cli/escape_bytes.ts";
import { TaskError, UsageError } from "./cli/failures.ts";
import { count, countOf } from "./cli/numbers.ts";
import { readWhole } from "./cli/option_readers.ts";
import { type Cell, type Format, formatOption, printRows } from "./cli/print_rows.ts";
import { runTask } from "./cli/run_task.ts";
import { withDatabase } from "./cli/with_database.ts";
import { type Running, withRunning } from "./cli/with_running.ts";
import { readConfig } from "./config.ts";
import { refuseOtherInbox } from "./files/retry_file.ts";
import { describeReject } from "./rejects/describe_reject.ts";
import { replayFile } from "./rejects/replay_file.ts";
import { findFile } from "./statements/find_file.ts";
import {
  correctReject,
  fileOfReject,
  filesToReplay,
  groupRejects,
  listRejects,
  openRejectIds,
  readReject,
  type RejectDetails,
  type RejectFilter,
  waiveRejects,
} from "./statements/rejects.ts";

const STATES = ["open", "replayed", "waived", "withdrawn"] as const;

const command = createCommand(
  "rejects",
  "The quarantine: records that broke the contract, with their bytes, line and faults. They can be looked\n" +
    "at, replayed (validated again, with a correction if need be, and loaded at their line), or waived.",
  {
    examples: [
      "deno task rejects list                              by fault and column",
      "deno task rejects list --each --file orders.csv",
      "deno task rejects show 7",
      "deno task rejects replay --fault unknown_value      after an alias was added to the contract",
      "deno task rejects replay 7 --correct-file fixed.csv",
      "deno task rejects waive --file 3 --reason 'test data'",
    ],
  },
);

interface FilterOptions {
  file?: string;
  fault?: string;
  column?: string;
  format: Format;
}

filtered("list", "prints open rejects by fault and column")
  .option("--each", "print them one by one, newest first")
  .addOption(
    new Option("--state <state>", "in this state").choices([...STATES, "all"]).default("open"),
  )
  .option("--limit <n>", "with --each: at most this many", readWhole, 20)
  .action(async (options: FilterOptions & { each?: true; state: string; limit: number }) => {
    const { each, state, limit, format } = options;
    await withDatabase(readConfig(), "reader", async (sql) => {
      const filter = { ...await readFilter(sql, options), state: state === "all" ? null : state };
      if (each) return printEach(await listRejects(sql, filter, limit), format);
      const groups = await groupRejects(sql, filter);
      if (groups.length === 0 && format === "table") return console.error("No rejects");
      printRows(
        [
          { name: "fault" },
          { name: "column" },
          { name: "records", isNumber: true },
          { name: "files", isNumber: true },
          { name: "example", isNumber: true },
        ],
        groups.map(({ code, column, records, files, rejectId }): Cell[] => [
          code,
          column,
          records,
          files,
          rejectId,
        ]),
        format,
      );
    });
  });

subcommand("show", "tells all about a reject: faults in words, its fields, how to go on")
  .argument("<reject>", "number of the reject", readWhole)
  .action(async (rejectId: number, { format }: { format: Format }) => {
    await withDatabase(readConfig(), "operator", async (sql) => {
      const reject = await findReject(sql, rejectId);
      if (format === "table") return console.log(describeReject(reject));
      const { raw, corrected, ...rest } = reject;
      const shown = {
        ...rest,
        raw: escapeBytes(raw),
        corrected: corrected && escapeBytes(corrected),
      };
      if (format === "json") return console.log(JSON.stringify(shown, null, 2));
      const names = Object.keys(shown).map((name) => ({ name }));
      printRows(names, [Object.values(shown) as Cell[]], format);
    });
  });

filtered("replay", "validates open rejects again, and loads those that hold now")
  .argument("[reject]", "number of one reject", readWhole)
  .option("--correct <text>", "with one reject: the whole record as it should be, stored first")
  .option("--correct-file <file>", "the same from a file; - reads it from stdin")
  .action(async (
    rejectId: number | undefined,
    options: FilterOptions & { correct?: string; correctFile?: string },
  ) => {
    const { correct, correctFile, format } = options;
    refuseFilterBeside(rejectId, "replay", options);
    if ((correct !== undefined || correctFile !== undefined) && rejectId === undefined) {
      throw new UsageError("Cannot replay: a correction needs the number of its reject");
    }
    if (correct !== undefined && correctFile !== undefined) {
      throw new UsageError("Cannot replay: expected either --correct or --correct-file");
    }
    const config = readConfig();
    const correction = correct === undefined
      ? await readCorrection(correctFile)
      : new TextEncoder().encode(correct);
    if (rejectId !== undefined && correction !== undefined) {
      await withDatabase(config, "operator", (sql) => storeCorrection(sql, rejectId, correction));
    }
    const { fault, column } = options;
    const which = {
      ...(rejectId !== undefined && { rejectId }),
      ...(fault !== undefined && { code: fault }),
      ...(column !== undefined && { column }),
    };
    const results = await withRunning(config, "replay", async (running) => {
      const done: (ReplayResult & { fileId: number })[] = [];
      for (const fileId of await chooseFiles(running, rejectId, options)) {
        done.push({ fileId, ...await replayFile(running, config, { fileId, ...which }) });
      }
      return done;
    });
    printReplayed(results, format);
  });

filtered("waive", "sets open rejects aside for good, with a reason")
  .argument("[reject]", "number of one reject", readWhole)
  .requiredOption("--reason <text>", "why nobody will need them")
  .action(async (
    rejectId: number | undefined,
    options: FilterOptions & { reason: string },
  ) => {
    refuseFilterBeside(rejectId, "waive", options);
    if (rejectId === undefined && !hasFilter(options)) {
      throw new UsageError("Cannot waive: expected a reject, --file, --fault or --column");
    }
    await withDatabase(readConfig(), "operator", async (sql) => {
      const ids = rejectId === undefined
        ? await openRejectIds(sql, await readFilter(sql, options))
        : [(await findReject(sql, rejectId)).rejectId];
      const waived = await waiveRejects(sql, ids, options.reason);
      printRows([{ name: "waived", isNumber: true }], [[waived]], options.format);
      if (rejectId !== undefined && waived === 0) {
        throw new TaskError(`Cannot waive reject ${rejectId}: it is not open`);
      }
    });
  });

function subcommand(name: string, description: string): Command {
  return command.command(name).description(description).addOption(formatOption());
}

function filtered(name: string, description: string): Command {
  return subcommand(name, description)
    .option("--file <file>", "of this file: file_id or name")
    .addOption(new Option("--fault <code>", "with this fault").choices(RECORD_FAULT_CODES))
    .addOption(
      new Option("--column <name>", "with a fault in this column; with --fault, that one in it")
        .choices(SHOP_EVENTS.columns.map(({ name }) => name)),
    );
}

function hasFilter({ file, fault, column }: FilterOptions): boolean {
  return [file, fault, column].some((value) => value !== undefined);
}

function refuseFilterBeside(
  rejectId: number | undefined,
  operation: string,
  options: FilterOptions,
): void {
  if (rejectId === undefined || !hasFilter(options)) return;
  throw new UsageError(
    `Cannot ${operation}: expected either the number of a reject, or --file, --fault and --column`,
  );
}

async function readFilter(sql: Sql, { file, fault, column }: FilterOptions): Promise<RejectFilter> {
  return {
    fileId: file === undefined ? null : (await findFile(sql, file)).fileId,
    code: fault,
    column,
    state: null,
  };
}

async function findReject(sql: Sql, rejectId: number): Promise<RejectDetails> {
  const reject = await readReject(sql, rejectId);
  if (reject !== undefined) return reject;
  throw new TaskError(
    `Cannot find reject ${rejectId}: there is none of this number; see \`deno task rejects list --each\``,
  );
}

/** Files of this inbox; those of another can only be read where that one is. */
async function chooseFiles(
  { sql, inboxId }: Running,
  rejectId: number | undefined,
  options: FilterOptions,
): Promise<number[]> {
  const files = rejectId === undefined
    ? await filesToReplay(sql, await readFilter(sql, options))
    : [await fileOfOpenReject(sql, rejectId)];
  const own = files.filter((file) => file.inboxId === inboxId);
  const [other] = files.filter((file) => file.inboxId !== inboxId);
  if (other !== undefined && own.length === 0) {
    refuseOtherInbox(await findFile(sql, String(other.fileId)), "replay", inboxId);
  }
  if (other !== undefined) {
    console.error(
      `Left alone: ${countOf(files.length - own.length, "file")} of other inboxes, such as file ` +
        `${other.fileId} of ${other.inboxId}`,
    );
  }
  return own.map(({ fileId }) => fileId);
}

async function fileOfOpenReject(sql: Sql, rejectId: number) {
  const reject = await fileOfReject(sql, rejectId);
  if (reject?.state === "open") return reject;
  throw new TaskError(`Cannot replay reject ${rejectId}: it is ${reject?.state ?? "not there"}`);
}

async function storeCorrection(sql: Sql, rejectId: number, correction: Uint8Array): Promise<void> {
  if (await correctReject(sql, rejectId, correction)) return;
  const reject = await findReject(sql, rejectId);
  throw new TaskError(`Cannot correct reject ${rejectId}: it is ${reject.state}`);
}

/** A record without the end of its line. */
async function readCorrection(file: string | undefined): Promise<Uint8Array | undefined> {
  if (file === undefined) return undefined;
  const text = file === "-"
    ? await new Response(Deno.stdin.readable).text()
    : await Deno.readTextFile(file);
  return new TextEncoder().encode(text.replace(/\r?\n$/, ""));
}

function printEach(rejects: Awaited<ReturnType<typeof listRejects>>, format: Format): void {
  if (rejects.length === 0 && format === "table") return console.error("No rejects");
  printRows(
    [
      { name: "reject", isNumber: true },
      { name: "file", isNumber: true },
      { name: "file_name" },
      { name: "line", isNumber: true },
      { name: "state" },
      { name: "faults", maxWidth: 70 },
    ],
    rejects.map(({ rejectId, fileId, fileName, line, state, faults }): Cell[] => [
      ...[rejectId, fileId, fileName, line, state],
      format === "table" ? faults.map((fault) => renderFault(fault)).join("; ") : faults,
    ]),
    format,
  );
}

const COUNTS = ["loaded", "duplicates", "open", "truncated", "tooLong"] as const;

function printReplayed(
  results: readonly (ReplayResult & { fileId: number })[],
  format: Format,
): void {
  const names = ["file_id", "loaded", "duplicates", "open", "truncated", "too_long"];
  if (results.length > 0 || format !== "table") {
    printRows(
      names.map((name) => ({ name, isNumber: true })),
      results.map(({ fileId, loaded, duplicates, open, truncated, tooLong }): Cell[] => [
        ...[fileId, loaded, duplicates, open, truncated, tooLong],
      ]),
      format,
    );
  }
  const sum = (key: typeof COUNTS[number]) => results.reduce((total, one) => total + one[key], 0);
  console.error(
    results.length === 0
      ? "Nothing to replay: no open reject of a loaded file matches"
      : COUNTS.every((key) => sum(key) === 0)
      ? "Nothing was left to replay: another command was faster"
      : `${countOf(sum("loaded"), "record")} loaded, ${count(sum("duplicates"))} there already, ` +
        `${count(sum("open"))} still rejected` +
        (sum("truncated") > 0
          ? `, ${count(sum("truncated"))} cut, whose file cannot be read any more`
          : "") +
        (sum("tooLong") > 0
          ? `, ${count(sum("tooLong"))} longer than any record may be, left open: only a ` +
            "correction can mend that"
          : ""),
  );
}

if (import.meta.main) await runTask(command);
