/**
 * `deno task ingest`: loads files now and says what became of each.
 *
 * @module
 */
import type { Sql } from "../activities/database.ts";
import { renderFault } from "../domain/render_fault.ts";
import { SHOP_EVENTS } from "../domain/shop_events.ts";
import { createCommand } from "./cli/create_command.ts";
import { InterruptedError } from "./cli/failures.ts";
import { liveView } from "./cli/live_view.ts";
import { bar, bytes, countOf } from "./cli/numbers.ts";
import { printResults } from "./cli/print_results.ts";
import { type Format, formatOption, printRows, renderRows } from "./cli/print_rows.ts";
import { runTask } from "./cli/run_task.ts";
import { openQueryPool } from "./cli/with_database.ts";
import { withPipeline } from "./cli/with_pipeline.ts";
import { withRunning } from "./cli/with_running.ts";
import { type Config, readConfig } from "./config.ts";
import { collectSources, type Source } from "./ingest/collect_sources.ts";
import { copyIntoInbox, type LandedCopy } from "./ingest/copy_into_inbox.ts";
import { type DryRun, dryRun } from "./ingest/dry_run.ts";
import { followCopies } from "./ingest/follow_copies.ts";
import { createLogger } from "./log.ts";
import { readRunFile } from "./services/run_file.ts";

const command = createCommand(
  "ingest",
  "Copies files, or those in directories, into the inbox, and waits until each is settled; your files\n" +
    "stay where they are. With nothing running it starts everything for as long as that takes.\n" +
    "Exit code 1 when a file could not be loaded; single bad records go to the quarantine.",
  {
    examples: [
      "deno task ingest events.csv more/       one file, and all files in a directory",
      "deno task ingest --dry-run events.csv   what would be rejected, and why; loads nothing",
    ],
  },
)
  .argument("<path...>", "files and directories")
  .option("--dry-run", "read and validate only; needs no database, so duplicates do not show")
  .addOption(formatOption())
  .action(async (paths: string[], { dryRun: isDryRun, format }) => {
    const config = readConfig();
    const { sources, skipped } = await collectSources(paths);
    if (skipped > 0) {
      console.error(`Left out ${countOf(skipped, "entry")} that no inbox would accept`);
    }
    if (isDryRun) await validateAll(sources, config, format);
    else await ingestAll(sources, config, format);
  });

async function ingestAll(sources: Source[], config: Config, format: Format): Promise<void> {
  if (await readRunFile(config.home)) {
    return await withRunning(config, "ingest", ({ sql, inbox, inboxId }) => {
      return ingestInto({ sql, inbox, inboxId }, sources, { format });
    });
  }
  const roles = { worker: true, watch: true };
  // What becomes of each file is told at the end; a log between would tear the progress bar.
  const log = createLogger(config.logLevel === "info" ? "error" : config.logLevel);
  const signal = await withPipeline(config, { roles, log }, async ({ pipeline, aborted }) => {
    const sql = openQueryPool(pipeline.run.ownerDatabaseUrl, "ingest");
    try {
      const { inboxId, run: { inbox } } = pipeline;
      await ingestInto({ sql, inbox, inboxId }, sources, { format, signal: aborted });
    } finally {
      await sql.end({ timeout: 2 });
    }
  });
  if (signal !== undefined) throw new InterruptedError();
}

async function ingestInto(
  { sql, inbox, inboxId }: { sql: Sql; inbox: string; inboxId: string },
  sources: Source[],
  { format, signal }: { format: Format; signal?: AbortSignal },
): Promise<void> {
  const copies: LandedCopy[] = [];
  // The clock of a file system may be a tick behind.
  const since = new Date(Date.now() - 1_000);
  const landing = (async () => {
    for (const source of sources) copies.push(await copyIntoInbox(inbox, source));
  })();
  const files = await followCopies({
    sql,
    inboxId,
    copies,
    total: sources.length,
    totalBytes: sources.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    landed: landing,
    since,
    view: liveView(),
    ...(signal && { signal }),
  });
  printResults(files, format);
  if (files.some(({ state }) => state !== "loaded" && state !== "duplicate")) Deno.exitCode = 1;
}

const DRY_COLUMNS = [
  { name: "file_name" },
  { name: "result" },
  { name: "records", isNumber: true },
  { name: "accepted", isNumber: true },
  { name: "rejected", isNumber: true },
];

/** Told to people in sentences, after the table. */
const DRY_DETAILS = [{ name: "failure" }, { name: "faults" }];

async function validateAll(sources: Source[], config: Config, format: Format): Promise<void> {
  const view = liveView();
  const { chunkBytes, maxExpandedBytes } = config;
  const results: DryRun[] = [];
  for (const [index, source] of sources.entries()) {
    const onProgress = (share: number) => {
      const text = `${index + 1} of ${countOf(sources.length, "file")} · ${source.name} · ` +
        bytes(source.sizeBytes);
      view.show([`${bar((index + share) / sources.length)} ${text}`], text);
    };
    const options = { contract: SHOP_EVENTS, chunkBytes, maxExpandedBytes, onProgress };
    results.push(await dryRun(source, options));
  }
  view.end();
  const isTable = format === "table";
  const rows = results.map(({ source, failure = null, records, accepted, rejected, faults }) => [
    source.name,
    failure === null ? "can be loaded" : "cannot be loaded",
    records,
    accepted,
    rejected,
    ...(isTable ? [] : [failure, faults]),
  ]);
  printRows(isTable ? DRY_COLUMNS : [...DRY_COLUMNS, ...DRY_DETAILS], rows, format);
  if (isTable) { for (const result of results) printFaults(result); }
  if (results.some(({ failure }) => failure !== undefined)) Deno.exitCode = 1;
}

function printFaults({ source, failure, faults }: DryRun): void {
  if (failure !== undefined) console.error(failure);
  if (faults.length === 0) return;
  const columns = [{ name: "rejects", isNumber: true }, { name: "code" }, { name: "fault" }, {
    name: "lines",
  }];
  const rows = faults.map(({ fault, rejects, lines }) => [
    rejects,
    fault.code,
    renderFault(fault),
    lines.join(", ") + (rejects > lines.length ? ", …" : ""),
  ]);
  console.error(`Rejects of ${source.name} by fault\n${renderRows(columns, rows, "table")}`);
}

if (import.meta.main) await runTask(command);
