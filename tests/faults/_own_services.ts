import { dirname, join } from "node:path";
import postgres from "postgres";
import { startPostgres } from "../../scripts/services/postgres.ts";
import { migrate } from "../../scripts/services/migrate.ts";
import { findFreePort } from "../../scripts/services/require_free_port.ts";
import { startTemporal } from "../../scripts/services/temporal.ts";
import { readConfig } from "../../scripts/config.ts";
import { tempDir, type TestDatabase } from "../harness.ts";

/** A server that a test may end and start again, on the same port and data. */
export interface OwnServer extends AsyncDisposable {
  /** Ends it with a signal and waits until it is gone. */
  end(signal: Deno.Signal): Promise<void>;
  /** Starts it again and waits until it serves. */
  start(): Promise<void>;
}

/** A PostgreSQL server of its own, migrated. */
export interface OwnPostgres extends OwnServer {
  database: TestDatabase;
  /** An empty one beside it, dropped when it is disposed. */
  freshDatabase(): Promise<TestDatabase>;
  /** Starts it and holds it in its recovery, in which it answers that it is starting up, until `finish`. */
  startSlowly(): Promise<{ finish(): Promise<void> }>;
  /** What the server wrote. */
  readLog(): Promise<string>;
}

/** A Temporal dev server of its own. */
export interface OwnTemporal extends OwnServer {
  address: string;
  /** Its SQLite file. */
  databaseFile: string;
}

const progress = () => {};

/** Starts a PostgreSQL server in a home of its own. */
export async function ownPostgres(): Promise<OwnPostgres> {
  const disposables = new AsyncDisposableStack();
  const home = disposables.use(await tempDir());
  const port = findFreePort();
  const start = () => startPostgres({ home: home.path, port, progress, fsync: false });
  let server = await start();
  disposables.defer(() => server.stop());
  await migrate(server.ownerUrl);
  const open = (url: string) => postgres(url, { max: 4, onnotice: () => {}, backoff: false });
  const sql = open(server.ownerUrl);
  disposables.defer(() => sql.end({ timeout: 1 }));

  /** A clone of the first database, to which nobody may be connected: it serves as a template only. */
  async function freshDatabase(): Promise<TestDatabase> {
    const source = new URL(server.ownerUrl).pathname.slice(1);
    const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
    const at = (database: string) => {
      const url = new URL(server.ownerUrl);
      url.pathname = `/${database}`;
      return url.href;
    };
    const asAdmin = async (statement: string) => {
      const admin = open(at("postgres"));
      await admin.unsafe(statement).finally(() => admin.end({ timeout: 1 }));
    };
    await asAdmin(`create database ${name} template ${source}`);
    // Deadlocks are told in the log, which outlives a killed server; statistics don't.
    await asAdmin(`alter database ${name} set log_lock_waits = on`);
    const sql = open(at(name));
    return {
      url: at(name),
      sql,
      async [Symbol.asyncDispose]() {
        await sql.end({ timeout: 1 });
        await asAdmin(`drop database ${name} with (force)`);
      },
    };
  }

  async function startSlowly(): Promise<{ finish(): Promise<void> }> {
    const { dataDir } = server;
    const go = join(dataDir, "go");
    // It asks for a file of an archive first, and goes on from its own WAL when there is none.
    const restore = `while [ ! -e "${go}" ]; do sleep 0.05; done; false`;
    const settings = join(dataDir, "postgresql.auto.conf");
    await Deno.writeTextFile(settings, `restore_command = '${restore}'\n`, { append: true });
    await Deno.writeTextFile(join(dataDir, "recovery.signal"), "");
    const starting = start();
    return {
      async finish() {
        await Deno.writeTextFile(go, "");
        server = await starting;
      },
    };
  }

  return {
    database: { url: server.ownerUrl, sql, [Symbol.asyncDispose]: () => Promise.resolve() },
    freshDatabase,
    startSlowly,
    readLog: () => Deno.readTextFile(join(dirname(server.dataDir), "postgres.log")),
    async end(signal) {
      Deno.kill(server.pid, signal);
      await server.ended;
    },
    async start() {
      server = await start();
    },
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}

/** Starts a Temporal dev server in a home of its own; its SQLite file outlives each process. */
export async function ownTemporal(): Promise<OwnTemporal> {
  const disposables = new AsyncDisposableStack();
  const home = disposables.use(await tempDir());
  const [port, uiPort] = [findFreePort(), findFreePort()];
  const { cache } = readConfig();
  const start = () => startTemporal({ home: home.path, cache, port, uiPort, progress });
  let server = await start();
  disposables.defer(() => server.stop());
  return {
    address: server.address,
    databaseFile: join(home.path, "temporal", "temporal.db"),
    async end(signal) {
      Deno.kill(server.pid, signal);
      await server.ended;
    },
    async start() {
      server = await start();
    },
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}
