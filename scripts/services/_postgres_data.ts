import { join } from "node:path";
import { readProcess } from "./_process_table.ts";
import { prepareLogFile } from "./_service_log.ts";
import { endProcess, type StopStep } from "./end_process.ts";
import { startProcess } from "./processes.ts";
import type { PostgresBinaries } from "./_postgres_binaries.ts";
import type { SystemUser } from "./_postgres_user.ts";

/** Fast shutdown, then immediate shutdown (recovery at the next start), then no shutdown. */
export const POSTGRES_STOP_STEPS: readonly StopStep[] = [
  ["SIGINT", 20_000],
  ["SIGQUIT", 5_000],
  ["SIGKILL", 5_000],
];

/** Major version of the data directory's format. */
const MAJOR_VERSION = "18";

/** @returns whether there is a database to start, in a format that this PostgreSQL reads */
export async function hasDatabase(dataDir: string): Promise<boolean> {
  const version = await Deno.readTextFile(join(dataDir, "PG_VERSION")).catch(() => undefined);
  if (version === undefined) return false;
  if (version.trim() === MAJOR_VERSION) return true;
  throw new Error(
    `Cannot start PostgreSQL ${MAJOR_VERSION} on ${dataDir}: its data is of version ` +
      `${version.trim()}; upgrade it with pg_upgrade, or choose another CLICKLEDGER_HOME`,
  );
}

/**
 * Makes an empty cluster with one login, `postgres`, that needs the password.
 *
 * @throws with the last error of initdb
 */
export async function initDatabase(
  { initdb }: PostgresBinaries,
  { home, directory, dataDir, user, password, fsync }: {
    home: string;
    directory: string;
    dataDir: string;
    user: SystemUser | undefined;
    password: string;
    fsync: boolean;
  },
): Promise<void> {
  // Beside it first: what a killed start leaves is not taken for a database.
  const temporary = join(directory, `new-${crypto.randomUUID()}`);
  const passwordFile = `${temporary}.password`;
  await Deno.writeTextFile(passwordFile, password, { mode: 0o600, createNew: true });
  if (user) await Deno.chown(passwordFile, user.uid, user.gid);
  const logFile = `${temporary}.log`;
  await prepareLogFile(logFile, user);
  try {
    // Out of the terminal's process group: Ctrl-C is for this process, which then stops in order.
    const process = await startProcess(home, {
      name: "initdb",
      program: initdb,
      args: [
        `--pgdata=${temporary}`,
        "--username=postgres",
        `--pwfile=${passwordFile}`,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        // The same order of text on every system, whatever its C library.
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        ...(fsync ? [] : ["--no-sync"]),
      ],
      marker: `--pgdata=${temporary}`,
      cwd: directory,
      env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
      logFile,
      stopSteps: [["SIGTERM", 5_000], ["SIGKILL", 5_000]],
      ...(user && { user: { uid: user.uid, gid: user.gid } }),
    });
    const { success } = await process.ended;
    await process.stop();
    if (!success) {
      const reason = lastError(await Deno.readTextFile(logFile));
      throw new Error(`Cannot initialise PostgreSQL in ${directory}: ${reason}`);
    }
    const settings = join(temporary, "postgresql.conf");
    await Deno.writeTextFile(settings, "\ninclude 'clickledger.conf'\n", { append: true });
    await Deno.rename(temporary, dataDir);
  } finally {
    await Deno.remove(passwordFile);
    await Deno.remove(logFile);
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
  }
}

/** initdb tells all it does, and quotes its SQL; what went wrong is its last complaint. */
function lastError(log: string): string {
  const lines = log.split("\n").filter((line) => line.trim() !== "");
  const complaint = lines.findLast((line) => /initdb: error:|FATAL:/.test(line)) ?? lines.at(-1);
  return complaint?.trim().replace(/^.*?(initdb: error|FATAL): */, "") ?? "initdb was ended";
}

/**
 * Clears the way after a kill -9: ends a postmaster that still runs on the data, and removes a
 * `postmaster.pid` whose pid now belongs to something else, which PostgreSQL would take for one.
 */
export async function clearStalePostmaster(dataDir: string): Promise<void> {
  const pidFile = join(dataDir, "postmaster.pid");
  const text = await Deno.readTextFile(pidFile).catch(() => undefined);
  if (text === undefined) return;
  const postmaster = await readProcess(Number(text.split("\n")[0]));
  if (postmaster && postmaster.command.includes(dataDir)) {
    await endProcess(postmaster, POSTGRES_STOP_STEPS);
  }
  await Deno.remove(pidFile).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** Whether a server on the data accepts connections; it says so in the last line of its pid file. */
export async function isReady(dataDir: string, pid: number): Promise<boolean> {
  const text = await Deno.readTextFile(join(dataDir, "postmaster.pid")).catch(() => "");
  const lines = text.split("\n");
  return lines[0] === String(pid) && lines[7]?.trim() === "ready";
}
