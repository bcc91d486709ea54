/**
 * `deno task migrate`: the database at the schema of this version, and the search attributes.
 *
 * @module
 */
import { createCommand } from "./cli/create_command.ts";
import { countOf } from "./cli/numbers.ts";
import { runTask } from "./cli/run_task.ts";
import { withDatabaseUrl } from "./cli/with_database.ts";
import { type Config, readConfig } from "./config.ts";
import { migrate, pendingMigrations, readMigrations } from "./services/migrate.ts";
import { readRunFile } from "./services/run_file.ts";
import { registerSearchAttributes } from "./services/search_attributes.ts";
import { devServerTarget, readTemporalTarget } from "./services/temporal_target.ts";

const command = createCommand(
  "migrate",
  "Applies the migrations of sql/ that the database lacks, and registers the search attributes on the\n" +
    "Temporal server, if one is named or runs. Safe to run twice and from several machines at once.",
)
  .option("--dry-run", "print the names of what would be applied, and apply nothing")
  .action(async ({ dryRun }: { dryRun?: true }) => {
    const config = readConfig();
    const names = await withDatabaseUrl(
      config,
      "owner",
      async (url) => dryRun ? await pendingMigrations(url) : (await migrate(url)).applied,
      { migrated: false },
    );
    if (names.length > 0) console.log(names.join("\n"));
    console.error(await describe(names, { dryRun: dryRun ?? false }));
    if (!dryRun) await registerWhereKnown(config);
  });

async function describe(names: string[], { dryRun }: { dryRun: boolean }): Promise<string> {
  if (names.length > 0) {
    return `${dryRun ? "To be applied" : "Applied"}: ${countOf(names.length, "migration")}`;
  }
  const last = (await readMigrations()).at(-1)?.name;
  return `Nothing to apply: the database is at ${last}`;
}

async function registerWhereKnown(config: Config): Promise<void> {
  const run = await readRunFile(config.home);
  const target = readTemporalTarget(config) ?? (run && devServerTarget(run.temporalAddress));
  if (target === undefined) return;
  const added = await registerSearchAttributes(target);
  if (added.length > 0) console.error(`Registered on Temporal: ${added.join(", ")}`);
}

if (import.meta.main) await runTask(command);
