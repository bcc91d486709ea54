import { join } from "node:path";
import postgres from "postgres";
import { findPostgresBinaries } from "./_postgres_binaries.ts";
import {
  clearStalePostmaster,
  hasDatabase,
  initDatabase,
  isReady,
  POSTGRES_STOP_STEPS,
} from "./_postgres_data.ts";
import { choosePostgresDirectory } from "./_postgres_directory.ts";
import { postgresSettings } from "./_postgres_settings.ts";
import { choosePostgresUser } from "./_postgres_user.ts";
import { prepareLogFile, readLogTail } from "./_service_log.ts";
import { type ServiceProcess, startProcess } from "./processes.ts";
import type { Progress } from "./progress.ts";
import { requireFreePort } from "./require_free_port.ts";

const DATABASE = "clickledger";
/** A recovery after a kill may have to read gigabytes of WAL. */
const START_TIMEOUT_MS = 300_000;

/** A running embedded PostgreSQL. */
export interface EmbeddedPostgres {
  /** URL of the superuser, with password. */
  readonly ownerUrl: string;
  readonly pid: number;
  readonly dataDir: string;
  /** Resolves when the server has ended, for whatever reason. */
  readonly ended: Promise<Deno.CommandStatus>;
  /** Disconnects all clients, writes everything to disk, ends the server; safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts the embedded PostgreSQL 18 of a home and waits until it takes connections. The first start
 * makes the cluster, its password and the database; later ones keep all three.
 *
 * The caller holds the lock of the home (`lock_home.ts`).
 *
 * @param options.port on 127.0.0.1
 * @param options.fsync false only for databases that need not survive a power cut, as in tests
 * @throws {PortTakenError} naming port and setting; else an error with the end of the server's log
 */
export async function startPostgres(
  { home, port, progress, fsync = true }: {
    home: string;
    port: number;
    progress: Progress;
    fsync?: boolean;
  },
): Promise<EmbeddedPostgres> {
  const user = await choosePostgresUser();
  const directory = await choosePostgresDirectory(home, user, progress);
  const binaries = await findPostgresBinaries(user);
  const dataDir = join(directory, "data");
  await clearStalePostmaster(dataDir);
  requireFreePort(port, "PostgreSQL", "CLICKLEDGER_POSTGRES_PORT");
  const isNew = !await hasDatabase(dataDir);
  const password = await readPassword(home, { isNew });
  if (isNew) {
    progress(`PostgreSQL: initialising a new database in ${dataDir}`);
    await initDatabase(binaries, { home, directory, dataDir, user, password, fsync });
  }
  const settings = postgresSettings({ port, fsync, memoryBytes: Deno.systemMemoryInfo().total });
  await Deno.writeTextFile(join(dataDir, "clickledger.conf"), settings);
  const logFile = join(directory, "postgres.log");
  await prepareLogFile(logFile, user);
  const server = await startProcess(home, {
    name: "postgres",
    program: binaries.postgres,
    args: ["-D", dataDir],
    marker: dataDir,
    cwd: directory,
    env: { LC_ALL: "C", TZ: "UTC", PATH: "/usr/bin:/bin" },
    logFile,
    stopSteps: POSTGRES_STOP_STEPS,
    ...(user && { user: { uid: user.uid, gid: user.gid } }),
  });
  const urlOf = (database: string) =>
    `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
  try {
    await waitUntilReady(server, { dataDir, logFile, progress });
    await createDatabase(urlOf("postgres"));
  } catch (error) {
    await server.stop();
    throw error;
  }
  const { pid, ended } = server;
  return { ownerUrl: urlOf(DATABASE), pid, dataDir, ended, stop: () => server.stop() };
}

/** In the home, not with the data: the data may lie where others can go. */
async function readPassword(home: string, { isNew }: { isNew: boolean }): Promise<string> {
  const path = join(home, "postgres", "password");
  const existing = await Deno.readTextFile(path).catch(() => undefined);
  if (existing) return existing.trim();
  if (!isNew) {
    throw new Error(
      `Cannot log in to PostgreSQL: its password is missing from ${path}; restore the file, or ` +
        "move the directory away to start with an empty database",
    );
  }
  const password = crypto.randomUUID().replaceAll("-", "");
  await Deno.writeTextFile(path, `${password}\n`, { mode: 0o600 });
  return password;
}

async function waitUntilReady(
  server: ServiceProcess,
  { dataDir, logFile, progress }: { dataDir: string; logFile: string; progress: Progress },
): Promise<void> {
  let hasEnded = false;
  server.ended.then(() => hasEnded = true);
  const startedAt = performance.now();
  let saidSo = false;
  while (!await isReady(dataDir, server.pid)) {
    const waitedMs = performance.now() - startedAt;
    if (hasEnded || waitedMs > START_TIMEOUT_MS) {
      const what = hasEnded ? "it ended" : `it was not ready within ${START_TIMEOUT_MS / 1000} s`;
      throw new Error(
        `Cannot start PostgreSQL: ${what}; the end of ${logFile}:\n${await readLogTail(logFile)}`,
      );
    }
    if (waitedMs > 3_000 && !saidSo) {
      progress("PostgreSQL: recovering after it was killed");
      saidSo = true;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function createDatabase(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: 30 });
  try {
    const found = await sql`select from pg_database where datname = ${DATABASE}`;
    if (found.length === 0) await sql`create database ${sql(DATABASE)}`;
  } finally {
    await sql.end();
  }
}
