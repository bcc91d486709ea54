import { Client } from "@temporalio/client";
import { NativeConnection } from "@temporalio/worker";
import pino from "pino";
import type { ActivityDeps } from "../../activities/create_activities.ts";
import { openDatabase } from "../../activities/database.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { createLogger } from "../../scripts/log.ts";
import { installRuntime } from "../../scripts/services/install_runtime.ts";
import { readMigrations } from "../../scripts/services/migrate.ts";
import { createWorker } from "../../scripts/services/create_worker.ts";
import { type InboxWatch, watchInbox, type WatchParts } from "../../scripts/watch_inbox.ts";
import { type TcpProxy, tcpProxy } from "../activities/_tcp_proxy.ts";
import { cells, csvLine, NAMES, VIEW } from "../domain/_shop_event.ts";
import { tempDir, testBundle, testDatabase, testTemporal, waitFor } from "../harness.ts";

// What the SDK says of outages is not what these tests look at.
installRuntime(createLogger("silent"));

/** A row of the ledger, as the tests look at it. */
export interface FileRow {
  file_id: number;
  file_name: string;
  state: string;
  records: number | null;
  error_code: string | null;
  workflow_id: string;
  settled: boolean;
}

/** A line of the watcher's log. */
export interface LogLine {
  level: number;
  msg: string;
}

/** An inbox with everything that is needed to load its files. */
export interface WatchedInbox extends AsyncDisposable {
  readonly folder: string;
  readonly inbox: string;
  readonly parts: WatchParts;
  /** What the activities of its worker work with. */
  readonly deps: ActivityDeps;
  readonly sql: Awaited<ReturnType<typeof testDatabase>>["sql"];
  readonly client: Client;
  readonly log: LogLine[];
  /** The way to PostgreSQL, when it was asked for. */
  readonly proxy: TcpProxy | null;
  /** Starts a watcher that is stopped at the end. */
  watch(change?: Partial<WatchParts>): InboxWatch;
  files(): Promise<FileRow[]>;
  /** Waits until so many files are settled, and gives all rows. */
  settled(count: number): Promise<FileRow[]>;
  /** Workflow runs of this inbox, by what the server lists. */
  runs(): Promise<{ workflowId: string; status: string }[]>;
  violations(): Promise<unknown[]>;
}

/**
 * Makes a database, directories, a client and, if asked for, a worker in this process.
 *
 * @param options.worker false: workflows are started and nobody runs them
 * @param options.proxied puts a proxy between PostgreSQL and both watcher and worker
 */
export async function watchedInbox(
  { worker = true, proxied = false, archivePolicy = "move" }: {
    worker?: boolean;
    proxied?: boolean;
    archivePolicy?: "move" | "keep" | "delete";
  } = {},
): Promise<WatchedInbox> {
  const disposables = new AsyncDisposableStack();
  const database = disposables.use(await testDatabase());
  const { path: folder } = disposables.use(await tempDir());
  const connection = await NativeConnection.connect({ address: await testTemporal() });
  disposables.defer(() => connection.close());
  const client = new Client({ connection });
  const proxy = proxied ? disposables.use(await tcpProxy(database.url)) : null;
  const sql = openDatabase(proxy?.url ?? database.url, "ingest", { max: 6 });
  disposables.defer(() => sql.end({ timeout: 1 }));
  const [inbox, archive, failed] = ["inbox", "archive", "failed"].map((name) =>
    `${folder}/${name}`
  );
  if (!inbox || !archive || !failed) throw new Error("Cannot happen: three names give three paths");
  const directories = { archive, failed };
  for (const directory of [inbox, archive, failed]) await Deno.mkdir(directory);
  const inboxId = crypto.randomUUID();
  const log: LogLine[] = [];
  const parts: WatchParts = {
    inbox,
    inboxId,
    directories,
    contract: SHOP_EVENTS,
    sql,
    client,
    settings: {
      heartbeatTimeoutMs: 10_000,
      chunksPerSpan: 16,
      maxRetryIntervalMs: 1_000,
      searchAttributes: true,
    },
    settleMs: 200,
    relistMs: 60_000,
    maxFilesInFlight: 50,
    eager: worker,
    workflowTaskTimeoutMs: 10_000,
    log: pino({ level: "info" }, { write: (line: string) => void log.push(JSON.parse(line)) }),
  };
  const deps: ActivityDeps = {
    sql,
    contracts: new Map([[SHOP_EVENTS.feed, SHOP_EVENTS]]),
    directories,
    archivePolicy,
    expansion: { spool: `${folder}/spool`, maxBytes: 10_000_000 },
    chunkBytes: 64 * 1024,
    errorBudget: {},
    worker: "test",
    schemaVersion: (await readMigrations()).length,
  };
  if (worker) {
    const running = await createWorker({
      connection,
      namespace: "default",
      inboxId,
      bundle: { codePath: await testBundle() },
      deps,
      poolSize: 4,
      shutdownGraceMs: 1_000,
    });
    const run = running.run();
    disposables.defer(async () => {
      running.shutdown();
      await run;
    });
  }

  async function files(): Promise<FileRow[]> {
    return await database.sql<FileRow[]>`
      select file_id::int, file_name, state, records::int, error_code, workflow_id,
             settled_at is not null as settled
      from ingest.files order by file_id`;
  }

  return {
    folder,
    inbox,
    parts,
    deps,
    sql: database.sql,
    client,
    log,
    proxy,
    files,
    watch(change = {}) {
      const watch = watchInbox({ ...parts, ...change });
      disposables.defer(() => watch.stop());
      return watch;
    },
    settled(count) {
      return waitFor(async () => {
        const rows = await files();
        return rows.filter(({ settled }) => settled).length >= count ? rows : null;
      }, { what: `${count} settled files`, timeoutMs: 60_000 });
    },
    async runs() {
      const query = `TaskQueue = "clickledger-${inboxId}"`;
      const runs = await Array.fromAsync(client.workflow.list({ query }));
      return runs.map(({ workflowId, status }) => ({ workflowId, status: status.name }));
    },
    violations: async () => [...await database.sql`select ingest.verify() as violation`],
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}

/** A file of some valid events, never the same twice. */
export function csvOf(records: number): string {
  return [csvLine(NAMES), ...Array.from({ length: records }, nextRecord)].join("");
}

/** One valid record with its line end. */
export function nextRecord(): string {
  return csvLine(cells({ ...VIEW, event_id: crypto.randomUUID() }));
}
