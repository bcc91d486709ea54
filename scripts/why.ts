/**
 * `deno task why`: where a row came from, or why there is none.
 *
 * @module
 */
import type { Sql } from "../activities/database.ts";
import { createCommand } from "./cli/create_command.ts";
import { TaskError, UsageError } from "./cli/failures.ts";
import { type Cell, type Format, formatOption, printRows } from "./cli/print_rows.ts";
import { printable } from "./cli/printable.ts";
import { runTask } from "./cli/run_task.ts";
import { withDatabase } from "./cli/with_database.ts";
import { readConfig } from "./config.ts";
import { feedSettings } from "./services/pipeline_settings.ts";
import { findFile } from "./statements/find_file.ts";
import { type Verdict, whyEvent, whyLine } from "./statements/why.ts";
import { describeVerdict, explainNone } from "./why/describe_verdict.ts";
import { findBytes } from "./why/find_bytes.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const command = createCommand(
  "why",
  "Tells from the ledger where a row came from, or why there is none: of an event by its id, or of a\n" +
    "record by its file and line. The answer is on stdout, in each format. Exit codes: 0 the record was\n" +
    "loaded, is a duplicate or was rejected; 1 there is none, and the answer says why (never seen, not\n" +
    "yet, its file is not loaded, no record begins there), or, with nothing on stdout, the ledger could\n" +
    "not be asked; 2 wrong usage.",
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
    const config = readConfig();
    await withDatabase(config, "operator", async (sql) => {
      const { contract } = feedSettings(config);
      const found = await ask(sql, what);
      const verdicts = await Promise.all(found.map((one) => findBytes(sql, contract, one)));
      printVerdicts(verdicts, format);
      if (verdicts.every(({ kind }) => kind === "none")) Deno.exitCode = 1;
    });
  });

async function ask(sql: Sql, what: string): Promise<Verdict[]> {
  if (UUID.test(what)) return await whyEvent(sql, what.toLowerCase());
  const [, file, line] = /^(.+):([1-9]\d*)$/s.exec(what) ?? [];
  if (file === undefined || Number(line) > MAX_LINE) {
    throw new UsageError(`Cannot explain ${what}: expected an event_id or FILE:LINE`);
  }
  const found = await findFile(sql, file).catch((error) => {
    if (error instanceof TaskError) return undefined;
    throw error;
  });
  if (found === undefined) return [{ kind: "none", why: "unknown_file", file }];
  return await whyLine(sql, found.fileId, Number(line));
}

/** As the ledger counts them. */
const MAX_LINE = 2_147_483_647;

function printVerdicts(verdicts: readonly Verdict[], format: Format): void {
  if (format === "csv") return printCsv(verdicts);
  if (format === "table") {
    return console.log(printable(verdicts.map(describeVerdict).join("\n\n")));
  }
  const answers = verdicts.map((verdict) =>
    verdict.kind === "none" ? { ...verdict, message: explainNone(verdict) } : verdict
  );
  console.log(JSON.stringify(answers, null, 2));
}

function printCsv(verdicts: readonly Verdict[]): void {
  const names = ["kind", "event_id", "file_id", "file_name", "line", "byte_start", "byte_length"];
  const columns = [...names, "bytes_of", "reason"].map((name) => ({ name }));
  const rows = verdicts.map((verdict): Cell[] => {
    const origin = "origin" in verdict ? verdict.origin : undefined;
    return [
      verdict.kind,
      "eventId" in verdict ? verdict.eventId : null,
      origin?.fileId ?? null,
      origin?.fileName ?? null,
      origin?.line ?? null,
      origin?.bytes?.start ?? null,
      origin?.bytes?.length ?? null,
      origin?.bytes?.of ?? null,
      reasonOf(verdict),
    ];
  });
  printRows(columns, rows, "csv");
}

function reasonOf(verdict: Verdict): string | null {
  if (verdict.kind === "rejected") return verdict.faults.map(({ code }) => code).join(" ");
  return verdict.kind === "none" ? verdict.why : null;
}

if (import.meta.main) await runTask(command);
