/**
 * `deno task why`: where a row came from, or why there is none.
 *
 * @module
 */
import type { Sql } from "../activities/database.ts";
import { FAULT_CODES } from "../domain/faults.ts";
import { renderFault } from "../domain/render_fault.ts";
import { createCommand } from "./cli/create_command.ts";
import { TaskError, UsageError } from "./cli/failures.ts";
import { count } from "./cli/numbers.ts";
import { type Format, formatOption, printRows } from "./cli/print_rows.ts";
import { runTask } from "./cli/run_task.ts";
import { withDatabase } from "./cli/with_database.ts";
import { readConfig } from "./config.ts";
import { findFile } from "./statements/find_file.ts";
import { type Origin, originOf, type Verdict, whyEvent, whyLine } from "./statements/why.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const command = createCommand(
  "why",
  "Tells from the ledger where a row came from, or why there is none: of an event by its id, or of a\n" +
    "record by its file and line. Ends with exit code 1 when the ledger knows nothing of it.",
  {
    examples: [
      "deno task why 018f2b6e-9c3a-7d41-8e55-0a1b2c3d4e5f",
      "deno task why orders.csv:120      the newest file of this name",
      "deno task why 7:120               file 7",
    ],
  },
)
  .argument("<what>", "an event_id, or FILE:LINE with a file_id or a name; the header is line 1")
  .addOption(formatOption())
  .action(async (what: string, { format }: { format: Format }) => {
    await withDatabase(readConfig(), "operator", async (sql) => {
      const verdicts = await ask(sql, what);
      if (format === "json") return console.log(JSON.stringify(verdicts, null, 2));
      if (format === "csv") return printCsv(verdicts);
      console.log(verdicts.map((verdict) => describe(verdict)).join("\n\n"));
    });
  });

async function ask(sql: Sql, what: string): Promise<Verdict[]> {
  if (UUID.test(what)) {
    const verdicts = await whyEvent(sql, what.toLowerCase());
    if (verdicts.length > 0) return verdicts;
    throw new TaskError(
      `Cannot find event ${what}: no file that was loaded, and no reject, has it; files under way ` +
        "are listed by `deno task files list --state loading`",
    );
  }
  const [, name, line] = /^(.+):([1-9]\d{0,9})$/.exec(what) ?? [];
  if (name === undefined) {
    throw new UsageError(`Cannot explain ${what}: expected an event_id or FILE:LINE`);
  }
  const { fileId } = await findFile(sql, name);
  const verdicts = await whyLine(sql, fileId, Number(line));
  if (verdicts.length > 0) return verdicts;
  throw new TaskError(explainNothing(await originOf(sql, fileId, Number(line))));
}

function explainNothing({ fileId, fileName, state, line, chunkNo, committedAt }: Origin): string {
  const where = `Cannot find line ${line} of file ${fileId} (${fileName})`;
  if (line === 1) return `${where}: it is the header`;
  if (state === "loading") {
    return chunkNo !== null && committedAt === null
      ? `${where}: its chunk is not committed yet; the file is loading`
      : `${where}: the file is loading, and no record that is committed begins there`;
  }
  if (state !== "loaded") {
    return `${where}: the file is ${state}; see \`deno task files show ${fileId}\``;
  }
  return `${where}: no record begins there; it may be blank, the rest of a record above, or behind the end`;
}

function describe(verdict: Verdict): string {
  const { origin } = verdict;
  const place = `line ${count(origin.line)} of file ${origin.fileId} (${origin.fileName})`;
  const lines = (() => {
    switch (verdict.kind) {
      case "loaded":
        return [
          `Loaded: event ${verdict.eventId} of ${verdict.eventTime.toISOString()} came from ${place}`,
          ...(verdict.isDropped
            ? ["It is no longer in shop.events: retention has dropped its month"]
            : []),
        ];
      case "duplicate": {
        const first = verdict.loadedFrom;
        return [
          `Duplicate: ${place} repeats event ${verdict.eventId}` +
          (first === null
            ? ""
            : `, which was loaded from line ${
              count(first.line)
            } of file ${first.fileId} (${first.fileName})`),
        ];
      }
      case "rejected":
        return [
          `Rejected (${verdict.state}): ${place}`,
          ...verdict.faults.map((fault) =>
            `${renderFault(fault)}. ${FAULT_CODES[fault.code].advice}`
          ),
        ];
    }
  })();
  return [lines[0], ...lines.slice(1).map((line) => `  ${line}`), ...describeOrigin(origin)].join(
    "\n",
  );
}

function describeOrigin(origin: Origin): string[] {
  const { state, sha256, path, chunkNo, byteStart, byteEnd, attempt, worker, committedAt } = origin;
  const pairs: [string, string | null][] = [
    ["file", `${state}${sha256 === null ? "" : `, sha256 ${sha256}`}`],
    ["bytes", path],
    ["chunk", chunkNo === null ? null : `${chunkNo}: bytes ${byteStart} to ${byteEnd} (expanded)`],
    [
      "committed",
      committedAt && `${committedAt.toISOString()} by ${worker}, attempt ${attempt}`,
    ],
    ["contract", `version ${origin.contractVersion}`],
    ["workflow", `${origin.workflowId}${origin.runId === null ? "" : `, run ${origin.runId}`}`],
  ];
  return pairs.flatMap(([name, text]) => text === null ? [] : [`  ${name.padEnd(10)}${text}`]);
}

function printCsv(verdicts: readonly Verdict[]): void {
  const columns = ["kind", "event_id", "file_id", "file_name", "line", "faults"].map((name) => ({
    name,
  }));
  const rows = verdicts.map((verdict) => [
    verdict.kind,
    "eventId" in verdict ? verdict.eventId : null,
    verdict.origin.fileId,
    verdict.origin.fileName,
    verdict.origin.line,
    "faults" in verdict ? verdict.faults.map(({ code }) => code).join(" ") : null,
  ]);
  printRows(columns, rows, "csv");
}

if (import.meta.main) await runTask(command);
