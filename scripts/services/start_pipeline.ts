import { dirname, join } from "node:path";
import { Client } from "@temporalio/client";
import { NativeConnection, type NativeConnectionOptions, type Worker } from "@temporalio/worker";
import { type Dashboard, startDashboard } from "../../dashboard/start_dashboard.ts";
import type { ActivityDeps } from "../../activities/create_activities.ts";
import { beginAtOnce } from "../../activities/load_at_once.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import type { Config } from "../config.ts";
import type { Logger } from "../log.ts";
import { type InboxWatch, watchInbox } from "../watch_inbox.ts";
import { findFreePort, requireFreePort } from "./require_free_port.ts";
import {
  createMetricHooks,
  type MetricHooks,
  type MetricRegistry,
  serveMetrics,
} from "./serve_metrics.ts";
import { createWorker } from "./create_worker.ts";
import { endStalledCopies } from "./end_stalled_copies.ts";
import { foldRollups } from "./fold_rollups.ts";
import { readInboxId } from "./inbox_id.ts";
import { installRuntime } from "./install_runtime.ts";
import { joinServices } from "./join_services.ts";
import { migrate, pendingMigrations } from "./migrate.ts";
import { ingestSettings, openIngestPool, workerDeps } from "./pipeline_settings.ts";
import { prepareSearchAttributes } from "./prepare_search_attributes.ts";
import type { Progress } from "./progress.ts";
import { removeRunFile, type RunFile, writeRunFile } from "./run_file.ts";
import { type ServiceEnd, type Services, startServices } from "./start_services.ts";
import { workflowBundle } from "./workflow_bundle.ts";

/** What a process does for the pipeline. */
export interface Roles {
  /** Runs workflows and activities. */
  readonly worker: boolean;
  /** Watches the inbox and starts a workflow per file. */
  readonly watch: boolean;
  /** Serves the dashboard. */
  readonly dashboard: boolean;
}

/** A pipeline that runs in this process. */
export interface Pipeline extends AsyncDisposable {
  readonly run: RunFile;
  readonly inboxId: string;
  readonly client: Client;
  /** Whether services that ran before are used; they stay when this pipeline stops. */
  readonly joined: boolean;
  /** Resolves when a part has ended by itself, with the reason in words for people. */
  readonly broken: Promise<Error>;
  /** Drains and stops what was started, in the reverse order; safe to call twice. */
  stop(): Promise<void>;
}

/** What the parts are made from, and where they are put to be stopped. */
interface Foundation {
  readonly config: Config;
  readonly services: Services;
  readonly connection: NativeConnection;
  readonly client: Client;
  readonly inboxId: string;
  readonly log: Logger;
  readonly parts: AsyncDisposableStack;
  /** Takes the reason why a part has ended by itself. */
  readonly fail: (reason: string) => void;
}

/**
 * Starts all that turns files into rows: services, migrations, worker and watcher, and writes
 * `run.json`. With one role only, and something running in this home, its services are joined.
 *
 * @param options.roles what this process does; a worker and a watcher in one process save a file
 * some 30 ms, because the first task of a workflow need not go through the server
 * @param options.signal ends the start at its next step; its reason is thrown
 * @throws when a part does not start; what had been started is stopped by then
 */
export async function startPipeline(
  config: Config,
  { roles, progress, log, signal }: {
    roles: Roles;
    progress: Progress;
    log: Logger;
    signal?: AbortSignal;
  },
): Promise<Pipeline> {
  const parts = new AsyncDisposableStack();
  const { promise: broken, resolve } = Promise.withResolvers<Error>();
  let stopping: Promise<void> | undefined;
  const stop = () => stopping ??= parts.disposeAsync();
  const fail = (reason: string) => stopping || resolve(new Error(`Cannot go on: ${reason}`));
  try {
    const sdkMetrics = config.metricsPort === undefined ? undefined : `127.0.0.1:${findFreePort()}`;
    installRuntime(log, sdkMetrics === undefined ? {} : { metricsAddress: sdkMetrics });
    // Bundling needs the processor, the servers mostly wait.
    const bundling = roles.worker ? workflowBundle({ cache: config.cache, progress }) : undefined;
    bundling?.catch(() => {});

    const joined = roles.worker && roles.watch ? undefined : await joinServices(config);
    const services = joined ?? await startServices(config, { progress });
    parts.defer(() => services.stop());
    signal?.throwIfAborted();
    services.unexpectedEnd.then((end) => fail(describeEnd(end, config.home)));
    if (joined === undefined) await applyMigrations(services.databaseUrl, progress);
    const searchAttributes = await prepareSearchAttributes(services.temporal, log);
    const inboxId = await prepareDirectories(config, progress);
    if (joined === undefined) await clearSpool(config.spool);

    signal?.throwIfAborted();
    const { namespace, connectionOptions } = services.temporal;
    // The environment gives an API key as text; the client's type allows a function as well.
    const connection = await NativeConnection.connect(connectionOptions as NativeConnectionOptions);
    parts.defer(() => connection.close());
    const client = new Client({ connection, namespace });
    const foundation = { config, services, connection, client, inboxId, log, parts, fail };
    const metrics = createMetricHooks();
    const deps = bundling && await startWorker(foundation, await bundling, metrics.hooks);
    const watcher = roles.watch ? startWatcher(foundation, { searchAttributes, deps }) : undefined;
    const metricsUrl = openMetrics(foundation, metrics.registry, { watcher, sdkMetrics });
    if (metricsUrl !== undefined) progress(`Metrics: ${metricsUrl}`);
    const dashboard = roles.dashboard ? openDashboard(foundation, watcher) : undefined;

    const run = {
      ...describeRun(config, services),
      ...(dashboard && { dashboardUrl: dashboard.url }),
    };
    if (joined === undefined) {
      await writeRunFile(config.home, run);
      parts.defer(() => removeRunFile(config.home));
    }
    const result = { run, inboxId, client, joined: joined !== undefined, broken, stop };
    return { ...result, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop().catch((cause) => log.debug({ reason: String(cause) }, "Cannot stop every part"));
    throw error;
  }
}

async function startWorker(
  { config, services, connection, inboxId, log, parts, fail }: Foundation,
  bundle: { codePath: string },
  hooks: MetricHooks,
): Promise<ActivityDeps> {
  const deps: ActivityDeps = {
    ...await workerDeps(config, services.databaseUrl),
    // Times are only taken where somebody asks for them.
    ...(config.metricsPort !== undefined && hooks),
  };
  parts.defer(() => deps.sql.end({ timeout: 5 }));
  const worker = await createWorker({
    connection,
    namespace: services.temporal.namespace,
    inboxId,
    bundle,
    deps,
    poolSize: config.databasePool,
    shutdownGraceMs: config.shutdownGraceMs,
  });
  const running = worker.run();
  running.then(() => fail("the worker ended"), (error) => fail(`the worker ended: ${error}`));
  parts.defer(() => drain(worker, running));
  // A pool of its own: loads may take all connections of the worker's for minutes.
  const sql = openIngestPool(config, services.databaseUrl, { max: 1 });
  parts.defer(() => sql.end({ timeout: 5 }));
  const folder = foldRollups(sql, log);
  parts.defer(() => folder.stop());
  const stalled = endStalledCopies(sql, { afterMs: config.statementTimeoutMs, log });
  parts.defer(() => stalled.stop());
  return deps;
}

async function drain(worker: Worker, running: Promise<void>): Promise<void> {
  if (worker.getState() === "RUNNING") worker.shutdown();
  // Why it ended by itself was told already.
  await running.catch(() => {});
}

/** @param options.deps What the worker of this process works with, if there is one. */
function startWatcher(
  { config, services, client, inboxId, log, parts, fail }: Foundation,
  { searchAttributes, deps }: { searchAttributes: boolean; deps: ActivityDeps | undefined },
): InboxWatch {
  const sql = openIngestPool(config, services.databaseUrl, { max: 2 });
  parts.defer(() => sql.end({ timeout: 5 }));
  const { inbox, archive, failed, settleMs, relistMs, maxFilesInFlight, workflowTaskTimeoutMs } =
    config;
  const watcher = watchInbox({
    inbox,
    inboxId,
    directories: { archive, failed },
    contract: SHOP_EVENTS,
    sql,
    client,
    settings: ingestSettings(config, searchAttributes),
    settleMs,
    relistMs,
    maxFilesInFlight,
    ...(config.archivePolicy === "delete" && { deleteAfterMs: config.deleteAfterMs }),
    eager: deps !== undefined,
    ...(deps && { onStarting: (input) => beginAtOnce(deps, input) }),
    workflowTaskTimeoutMs,
    log,
  });
  watcher.finished.then(
    () => fail("the watcher ended"),
    (error: unknown) => fail(`the watcher ended: ${error}`),
  );
  parts.defer(() => watcher.stop());
  return watcher;
}

/** @returns where they are served; undefined when nobody asked for them */
function openMetrics(
  { config, services, parts }: Foundation,
  registry: MetricRegistry,
  { watcher, sdkMetrics }: { watcher: InboxWatch | undefined; sdkMetrics: string | undefined },
): string | undefined {
  const { metricsPort: port, databasePool: poolSize } = config;
  if (port === undefined) return undefined;
  requireFreePort(port, "the metrics", "CLICKLEDGER_METRICS_PORT");
  const sql = openIngestPool(config, services.databaseUrl, { max: 1 });
  parts.defer(() => sql.end({ timeout: 1 }));
  const served = serveMetrics(port, registry, {
    sql,
    poolSize,
    ...(watcher && { watcher: () => watcher.stats() }),
    ...(sdkMetrics !== undefined && { sdkUrl: `http://${sdkMetrics}/metrics` }),
  });
  parts.use(served);
  return served.url;
}

function openDashboard(
  { config, services, parts, log }: Foundation,
  watcher?: InboxWatch,
): Dashboard {
  const { dashboardPort: port, readerDatabaseUrl } = config;
  requireFreePort(port, "the dashboard", "CLICKLEDGER_DASHBOARD_PORT");
  const { webUiUrl, temporal: { namespace } } = services;
  const dashboard = startDashboard({
    databaseUrl: readerDatabaseUrl ?? services.databaseUrl,
    port,
    namespace,
    onFailure: (code) => log.warn({ code }, "Cannot answer the dashboard: it asks again"),
    ...(webUiUrl !== undefined && { webUiUrl }),
    ...(watcher && {
      waiting() {
        const { waiting, settling } = watcher.stats();
        return waiting + settling;
      },
    }),
  });
  parts.use(dashboard);
  return dashboard;
}

async function applyMigrations(ownerUrl: string, progress: Progress): Promise<void> {
  // A deployment migrates in a job of its own: then this login need not be able to.
  if ((await pendingMigrations(ownerUrl)).length === 0) return;
  const { applied } = await migrate(ownerUrl);
  if (applied.length > 0) progress(`Database: applied ${applied.length} migrations`);
}

/** @returns the id of the inbox */
async function prepareDirectories(
  { home, inbox, archive, failed }: Config,
  progress: Progress,
): Promise<string> {
  const isNew = await Deno.lstat(inbox).then(() => false, () => true);
  for (const path of [inbox, archive, failed]) await Deno.mkdir(path, { recursive: true });
  // A mistyped path would be watched in vain.
  if (isNew && dirname(inbox) !== home) progress(`Inbox: created ${inbox}`);
  return await readInboxId(inbox);
}

/** What a crash left there; a file that goes on loading is expanded again, and the checksums tell that it is the same. */
async function clearSpool(spool: string): Promise<void> {
  await Deno.mkdir(spool, { recursive: true });
  for await (const { name } of Deno.readDir(spool)) {
    if (/^\d+\.csv(\.[0-9a-f-]+\.part)?$/.test(name)) await Deno.remove(join(spool, name));
  }
}

function describeRun(config: Config, services: Services): RunFile {
  const { databaseUrl, temporalAddress, webUiUrl } = services;
  return {
    databaseUrl: config.readerDatabaseUrl ?? databaseUrl,
    operatorDatabaseUrl: config.operatorDatabaseUrl ?? databaseUrl,
    ownerDatabaseUrl: databaseUrl,
    temporalAddress,
    ...(webUiUrl === undefined ? {} : { webUiUrl }),
    inbox: config.inbox,
    pid: Deno.pid,
  };
}

function describeEnd({ service, status }: ServiceEnd, home: string): string {
  const name = { postgres: "PostgreSQL", temporal: "Temporal's dev server" }[service];
  const how = status.signal ? `by ${status.signal}` : `with code ${status.code}`;
  return `${name} ended by itself (${how}); its log is ${home}/${service}/${service}.log, and a ` +
    "new start takes up where this one stopped";
}
