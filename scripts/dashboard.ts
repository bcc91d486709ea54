/**
 * `deno task dashboard`: the dashboard alone, beside what runs or for servers elsewhere.
 *
 * @module
 */
import { startDashboard } from "../dashboard/start_dashboard.ts";
import { createCommand } from "./cli/create_command.ts";
import { runTask } from "./cli/run_task.ts";
import { stopSignals } from "./cli/stop_signals.ts";
import { withDatabaseUrl } from "./cli/with_database.ts";
import { readConfig } from "./config.ts";
import { requireFreePort } from "./services/require_free_port.ts";
import { readRunFile } from "./services/run_file.ts";
import { readTemporalTarget } from "./services/temporal_target.ts";

const command = createCommand(
  "dashboard",
  "Serves the dashboard until Ctrl-C: of what runs in this home, or of the database that the settings name.\n" +
    "`dev` and `demo` serve it by themselves. It asks as reader, and has no login: whoever reaches it sees it.",
  {
    examples: [
      "CLICKLEDGER_DASHBOARD_PORT=8300 deno task dashboard   beside a `dev` that has the usual port",
    ],
  },
)
  .option("--host <address>", "listen at another address than this machine's own", "127.0.0.1")
  .action(async ({ host: hostname }: { host: string }) => {
    const config = readConfig();
    const { dashboardPort: port } = config;
    await withDatabaseUrl(config, "reader", async (databaseUrl) => {
      requireFreePort(port, "the dashboard", "CLICKLEDGER_DASHBOARD_PORT");
      using signals = stopSignals(() => Deno.exit(130));
      const webUiUrl = (await readRunFile(config.home))?.webUiUrl;
      await using dashboard = startDashboard({
        databaseUrl,
        hostname,
        port,
        namespace: readTemporalTarget(config)?.namespace ?? "default",
        onFailure: (code) => console.error(`Cannot answer the dashboard: ${code}; it asks again`),
        ...(webUiUrl !== undefined && { webUiUrl }),
      });
      console.error(`Ready: ${dashboard.url} (stop with Ctrl-C)`);
      await signals.first;
    });
    console.error("Stopped");
  });

if (import.meta.main) await runTask(command);
