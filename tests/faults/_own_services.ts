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
  /** What the server wrote. */
  readLog(): Promise<string>;
}

/** A Temporal dev server of its own. */
export interface OwnTemporal extends OwnServer {
  address: string;
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
  const sql = postgres(server.ownerUrl, { max: 4, onnotice: () => {}, backoff: false });
  disposables.defer(() => sql.end({ timeout: 1 }));
  return {
    database: { url: server.ownerUrl, sql, [Symbol.asyncDispose]: () => Promise.resolve() },
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
