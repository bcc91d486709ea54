/**
 * `deno task ingest`: loads files now and says what became of each.
 *
 * @module
 */
import { join } from "node:path";
import type { Sql } from "../activities/database.ts";
import { renderFault } from "../domain/render_fault.ts";
import { createCommand } from "./cli/create_command.ts";
import { InterruptedError } from "./cli/failures.ts";
import { liveView } from "./cli/live_view.ts";
import { bar, bytes, countOf } from "./cli/numbers.ts";
import { printResults } from "./cli/print_results.ts";
import { type Format, formatOption, printRows, renderRows } from "./cli/print_rows.ts";
import { runTask } from "./cli/run_task.ts";
import { openQueryPool, withDatabase } from "./cli/with_database.ts";
import { withRunning } from "./cli/with_running.ts";
import { type Config, readConfig } from "./config.ts";
import { collectSources, type Source } from "./ingest/collect_sources.ts";
import { copyIntoInbox, type LandedCopy } from "./ingest/copy_into_inbox.ts";
import { DryLoad, type DryRun } from "./ingest/dry_run.ts";
import { followCopies } from "./ingest/follow_copies.ts";
import type { OtherFile } from "./ingest/tally.ts";
import { createLogger } from "./log.ts";
import { readInboxId } from "./services/inbox_id.ts";
import { feedSettings } from "./services/pipeline_settings.ts";
import { readRunFile } from "./services/run_file.ts";

const command = createCommand(
  "ingest",
  "Copies files, or those in directories, into the inbox, and waits until each is settled; your files\n" +
    "stay where they are. With nothing running it starts everything for as long as that takes.\n" +
    "Exit code 1 when a file could not be loaded, or with --dry-run would not be; single bad records\n" +
    "go to the quarantine. Of two events with one id and different content exactly one is loaded: a\n" +
    "dry run names both lines, and counts the later one as rejected.",
  {
    examples: [
      "deno task ingest events.csv more/       one file, and all files in a directory",
      "deno task ingest --dry-run events.csv   what a load would do, and why",
    ],
  },
)
  .argument("<path...>", "files and directories")
  .option(
    "--dry-run",
    "say what a load would do, compared with the database and among the files; load nothing",
  )
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
  const roles = { worker: true, watch: true, dashboard: false };
  // What becomes of each file is told at the end; a log between would tear the progress bar.
  const log = createLogger(config.logLevel === "info" ? "error" : config.logLevel);
  const { withPipeline } = await import("./cli/with_pipeline.ts");
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
  { name: "state" },
  { name: "records", isNumber: true },
  { name: "loaded", isNumber: true },
  { name: "duplicates", isNumber: true },
  { name: "rejected", isNumber: true },
];

/** Told to people in sentences, after the table. */
const DRY_DETAILS = ["error_code", "failure", "duplicate_of", "supersedes", "faults", "conflicts"]
  .map((name) => ({ name }));

async function validateAll(sources: Source[], config: Config, format: Format): Promise<void> {
  const results = await withLoaded(config, async (loaded) => {
    const view = liveView();
    const { chunkBytes, maxExpandedBytes } = config;
    const load = new DryLoad({ ...feedSettings(config), chunkBytes, maxExpandedBytes, ...loaded });
    const read: DryRun[] = [];
    for (const [index, source] of sources.entries()) {
      read.push(
        await load.read(source, (share) => {
          const text = `${index + 1} of ${countOf(sources.length, "file")} · ${source.name} · ` +
            bytes(source.sizeBytes);
          view.show([`${bar((index + share) / sources.length)} ${text}`], text);
        }),
      );
    }
    view.end();
    return read;
  });
  const isTable = format === "table";
  const rows = results.map((result) => [
    result.source.name,
    result.state,
    result.records,
    result.loaded,
    result.duplicates,
    result.rejected,
    ...(isTable ? [] : dryDetails(result)),
  ]);
  printRows(isTable ? DRY_COLUMNS : [...DRY_COLUMNS, ...DRY_DETAILS], rows, format);
  if (isTable) { for (const result of results) explain(result); }
  if (results.some(({ state }) => state === "failed")) Deno.exitCode = 1;
}

/** The database that a load would go into; before the first start of a home there is none, and none is made. */
async function withLoaded(
  config: Config,
  work: (loaded: { sql?: Sql; inboxId?: string }) => Promise<DryRun[]>,
): Promise<DryRun[]> {
  const isNamed = (config.readerDatabaseUrl ?? config.databaseUrl) !== undefined;
  if (!isNamed && !await exists(join(config.home, "postgres"))) {
    console.error("There is no database yet: compared with an empty one");
    return await work({});
  }
  return await withDatabase(config, "reader", async (sql) => {
    const run = await readRunFile(config.home);
    const inboxId = await readInboxId(run?.inbox ?? config.inbox, { create: false });
    return await work({ sql, ...(inboxId !== undefined && { inboxId }) });
  });
}

function exists(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}

function dryDetails({ errorCode, failure, duplicateOf, supersedes, ...result }: DryRun) {
  const { faults, conflicts } = result;
  const named = (file?: OtherFile) => file === undefined ? null : file.fileId ?? file.name;
  return [
    errorCode ?? null,
    failure ?? null,
    named(duplicateOf),
    named(supersedes),
    faults,
    conflicts,
  ];
}

/** Of the conflicts of a file, so many are read by a person. */
const TOLD_CONFLICTS = 8;

function explain({ source, failure, faults, duplicateOf, supersedes, conflicts }: DryRun): void {
  if (failure !== undefined) console.error(failure);
  if (duplicateOf) console.error(`${source.name}: ${nameOf(duplicateOf)} has the same bytes`);
  if (supersedes) console.error(`${source.name}: supersedes ${nameOf(supersedes)}`);
  for (const { line, other } of conflicts.slice(0, TOLD_CONFLICTS)) {
    console.error(
      `${source.name}: line ${line} and line ${other.line} of ${
        nameOf(other)
      } have one event_id and ` +
        "different content; exactly one of them is loaded",
    );
  }
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

function nameOf({ fileId, name }: OtherFile): string {
  return fileId === undefined ? name : `${name} (file ${fileId})`;
}

if (import.meta.main) await runTask(command);
