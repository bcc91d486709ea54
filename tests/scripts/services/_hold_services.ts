/**
 * A supervisor as `dev` is one, for tests that kill it: starts the services named, says so as one
 * JSON line on stdout, and stops them at SIGINT or SIGTERM.
 *
 * `deno run -A _hold_services.ts HOME POSTGRES_PORT postgres,temporal`
 *
 * @module
 */
import { readConfig } from "../../../scripts/config.ts";
import { findFreePort } from "../../../scripts/services/require_free_port.ts";
import { type ServiceName, startServices } from "../../../scripts/services/start_services.ts";

const [home = "", postgresPort = "", only = ""] = Deno.args;
const { promise: told, resolve: tell } = Promise.withResolvers<void>();
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => tell());
const config = readConfig({
  HOME: Deno.env.get("HOME") ?? "",
  CLICKLEDGER_HOME: home,
  CLICKLEDGER_POSTGRES_PORT: postgresPort,
  CLICKLEDGER_TEMPORAL_PORT: String(findFreePort()),
  CLICKLEDGER_UI_PORT: String(findFreePort()),
  CLICKLEDGER_DASHBOARD_PORT: String(findFreePort()),
});
try {
  const { databaseUrl, started, stop } = await startServices(config, {
    progress: (line) => console.error(line),
    only: only.split(",") as ServiceName[],
    fsync: false,
  });
  console.log(JSON.stringify({ databaseUrl, started, pid: Deno.pid, uid: Deno.uid() }));
  await told;
  await stop();
  Deno.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
