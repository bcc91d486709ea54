import { join } from "node:path";
import { readProcess } from "./_process_table.ts";
import { endProcess, type StopStep } from "./end_process.ts";
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

/** Makes an empty cluster with one login, `postgres`, that needs the password. */
export async function initDatabase(
  { initdb }: PostgresBinaries,
  { directory, dataDir, user, password, fsync }: {
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
  try {
    const { success, stderr } = await new Deno.Command(initdb, {
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
      cwd: directory,
      env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
      clearEnv: true,
      ...(user && { uid: user.uid, gid: user.gid }),
    }).output();
    if (!success) {
      throw new Error(
        `Cannot initialise PostgreSQL in ${directory}: ${new TextDecoder().decode(stderr).trim()}`,
      );
    }
    const settings = join(temporary, "postgresql.conf");
    await Deno.writeTextFile(settings, "\ninclude 'clickledger.conf'\n", { append: true });
    await Deno.rename(temporary, dataDir);
  } finally {
    await Deno.remove(passwordFile);
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
  }
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
