/**
 * `deno task dev`: everything that turns files into rows, until Ctrl-C.
 *
 * @module
 */
import { createCommand } from "./cli/create_command.ts";
import { describeReady } from "./cli/describe_ready.ts";
import { UsageError } from "./cli/failures.ts";
import { untilAborted } from "./cli/sleep.ts";
import { runTask } from "./cli/run_task.ts";
import { openQueryPool } from "./cli/with_database.ts";
import { withPipeline } from "./cli/with_pipeline.ts";
import { readConfig } from "./config.ts";
import { reportFiles } from "./dev/report_files.ts";
import { createLogger } from "./log.ts";
import type { Roles } from "./services/start_pipeline.ts";

const command = createCommand(
  "dev",
  "Starts PostgreSQL and Temporal (unless DATABASE_URL and TEMPORAL_ADDRESS name others), applies\n" +
    "migrations, and runs a worker, a watcher of the inbox and the dashboard until Ctrl-C, which drains and stops all\n" +
    "of it. A second Ctrl-C ends at once; nothing is lost either way.",
  {
    settings: "list",
    examples: [
      "deno task dev                  all of it, in this process",
      "deno task dev --role worker    one more worker, beside what runs in this home or elsewhere",
    ],
  },
)
  .option("--role <role>", "run only this part, worker or watch, for deployments")
  .action(async ({ role }: { role?: string }) => {
    const config = readConfig();
    const roles = readRoles(role);
    const startedAt = performance.now();
    const log = createLogger(config.logLevel);
    await withPipeline(config, { roles, log }, async ({ pipeline, aborted: signal }) => {
      const seconds = (performance.now() - startedAt) / 1000;
      console.error(describeReady(pipeline, { roles, seconds }));
      if (!roles.worker) return await untilAborted(signal);
      const sql = openQueryPool(pipeline.run.databaseUrl, "reader");
      await reportFiles(sql, { inboxId: pipeline.inboxId, log, signal });
      await sql.end({ timeout: 1 });
    });
    console.error("Stopped");
  });

function readRoles(role: string | undefined): Roles {
  if (role === undefined) return { worker: true, watch: true, dashboard: true };
  if (role === "worker") return { worker: true, watch: false, dashboard: false };
  if (role === "watch") return { worker: false, watch: true, dashboard: false };
  throw new UsageError(`Cannot run the role ${role}: expected worker or watch`);
}

if (import.meta.main) await runTask(command);
