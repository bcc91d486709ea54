import { DEFAULT_LIMITS, openDatabase, type Role, type Sql } from "../../activities/database.ts";
import type { Config } from "../config.ts";
import { migrate } from "../services/migrate.ts";
import { readRunFile, type RunFile } from "../services/run_file.ts";
import { InterruptedError } from "./failures.ts";
import { stopSignals } from "./stop_signals.ts";

/** A person waits: a query may take this long. */
const QUERY_TIMEOUT_MS = 3_600_000;

/**
 * Does something with the database: that of what runs in this home, else the one that the settings
 * name, else the embedded one, started for this and stopped again.
 *
 * @param role who to be there
 * @throws what the work throws, and `InterruptedError` on Ctrl-C and SIGTERM
 */
export async function withDatabase<Result>(
  config: Config,
  role: Role,
  work: (sql: Sql) => Promise<Result>,
): Promise<Result> {
  return await withDatabaseUrl(config, role, async (url) => {
    const sql = openQueryPool(url, role);
    try {
      return await work(sql);
    } finally {
      await sql.end({ timeout: 2 });
    }
  });
}

/** The same with the URL, for those who open connections of their own. */
export async function withDatabaseUrl<Result>(
  config: Config,
  role: Role,
  work: (url: string) => Promise<Result>,
  { migrated = true }: { migrated?: boolean } = {},
): Promise<Result> {
  const run = await readRunFile(config.home);
  const known = run ? urlOfRun(run, role) : urlOfSettings(config, role);
  if (known !== undefined) {
    if (role === "reader") await giveUpCode();
    return await work(known);
  }
  // Only here: it brings native code, which a process that is confined to a permission set may not load.
  const { startServices } = await import("../services/start_services.ts");
  using signals = stopSignals(() => Deno.exit(130));
  const progress = (line: string) => console.error(line);
  await using services = await startServices(config, { progress, only: ["postgres"] });
  signals.aborted.throwIfAborted();
  if (migrated) await migrate(services.databaseUrl);
  const interrupted = signals.first.then(() => {
    throw new InterruptedError();
  });
  return await Promise.race([work(services.databaseUrl), interrupted]);
}

/** Whoever only asks, and found a server to ask, starts no program any more and loads no native code, whatever a package tries. */
async function giveUpCode(): Promise<void> {
  for (const name of ["run", "ffi"] as const) await Deno.permissions.revoke({ name });
}

/** A small pool whose statements may take as long as a person waits. */
export function openQueryPool(url: string, role: Role): Sql {
  return openDatabase(url, role, {
    max: 2,
    limits: {
      ...DEFAULT_LIMITS,
      transactionTimeoutMs: QUERY_TIMEOUT_MS,
      statementDeadlineMs: QUERY_TIMEOUT_MS + 5_000,
    },
  });
}

function urlOfRun(run: RunFile, role: Role): string {
  if (role === "reader") return run.databaseUrl;
  return role === "operator" ? run.operatorDatabaseUrl : run.ownerDatabaseUrl;
}

function urlOfSettings(config: Config, role: Role): string | undefined {
  const own = {
    owner: undefined,
    ingest: config.ingestDatabaseUrl,
    reader: config.readerDatabaseUrl,
    operator: config.operatorDatabaseUrl,
  }[role];
  return own ?? config.databaseUrl;
}
