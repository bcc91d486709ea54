import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Sql } from "../../activities/database.ts";
import { askMetrics } from "../statements/ask_metrics.ts";
import type { WatchStats } from "../watch_inbox.ts";

export type MetricRegistry = Registry;

/** What the pipeline tells of itself while it works. */
export interface MetricHooks {
  /** A chunk was committed after so many seconds. */
  onChunk(seconds: number): void;
  /** A file was settled; seconds from closed (or discovered) to committed, null when nothing was loaded. */
  onSettled(lagSeconds: number | null): void;
}

/** What is asked at each scrape. */
export interface MetricSources {
  /** Pool of the ingest role. */
  readonly sql: Sql;
  readonly watcher?: () => WatchStats;
  /** Connections that the worker may open. */
  readonly poolSize: number;
  /** Where the SDK's own metrics are read, on this machine. */
  readonly sdkUrl?: string;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Makes the histograms that the worker feeds. */
export function createMetricHooks(): { registry: Registry; hooks: MetricHooks } {
  const registry = new Registry();
  const chunk = new Histogram({
    name: "clickledger_chunk_seconds",
    help:
      "Time from begin to commit of a chunk's transaction, validated before; without the wait of a small file for its workflow.",
    buckets: SECONDS,
    registers: [registry],
  });
  const lag = new Histogram({
    name: "clickledger_file_lag_seconds",
    help: "Time from the end of writing (or discovery) of a file to the commit of its last row.",
    buckets: SECONDS,
    registers: [registry],
  });
  return {
    registry,
    hooks: {
      onChunk: (seconds) => chunk.observe(seconds),
      onSettled: (seconds) => seconds === null || lag.observe(Math.max(0, seconds)),
    },
  };
}

/**
 * Serves the metrics of this process, of the ledger, and of Temporal's SDK at `/metrics`, on this machine only, in the
 * text format of Prometheus. Labels are states and fault codes, which are few; files and products are none.
 *
 * @param port On 127.0.0.1.
 */
export function serveMetrics(
  port: number,
  registry: Registry,
  sources: MetricSources,
): AsyncDisposable & { url: string } {
  collectDefaultMetrics({ register: registry });
  const gauges = createGauges(registry);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port, onListen: () => {} },
    async (request) => {
      if (new URL(request.url).pathname !== "/metrics") {
        return new Response("The metrics are at /metrics\n", { status: 404 });
      }
      await gauges.read(sources);
      const texts = [await registry.metrics(), await readSdkMetrics(sources.sdkUrl)];
      return new Response(texts.join("\n"), { headers: { "content-type": registry.contentType } });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/metrics`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function createGauges(registry: Registry) {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `clickledger_${name}`, help, labelNames, registers: [registry] });
  /** Counted by somebody else: each scrape sets it to what it is there. */
  const counter = (name: string, help: string) => {
    const made = new Counter({ name: `clickledger_${name}_total`, help, registers: [registry] });
    return {
      set(value: number): void {
        made.reset();
        made.inc(value);
      },
    };
  };
  const up = gauge("database_up", "1 if the database answered this scrape.");
  const files = gauge("files", "Files of the ledger by state; paused ones are loading as well.", [
    "state",
  ]);
  const paused = gauge("files_paused", "Files that a person has paused.");
  const rows = gauge("rows", "Records of loaded files by what became of them.", ["outcome"]);
  const rejects = gauge("rejects_open", "Open rejects by fault code.", ["code"]);
  const deltas = gauge("rollup_deltas", "Rows that wait to be folded into the rollups.");
  const deadlocks = counter(
    "database_deadlocks",
    "Deadlocks in this database since its statistics were reset.",
  );
  const sessions = gauge("database_sessions", "Sessions of Clickledger by state.", ["state"]);
  const pool = gauge("worker_pool_size", "Connections that this worker may open.");
  const waiting = gauge(
    "inbox_waiting",
    "Files of the inbox that wait for their turn, or are still being written.",
  );
  const inFlight = gauge("inbox_in_flight", "New files being loaded.");
  const started = counter("inbox_started", "Workflows that this watcher has started.");
  const relists = counter("inbox_relists", "Listings of inbox and ledger by this watcher.");
  return {
    async read({ sql, watcher, poolSize }: MetricSources): Promise<void> {
      pool.set(poolSize);
      const stats = watcher?.();
      if (stats !== undefined) {
        waiting.set(stats.waiting + stats.settling);
        inFlight.set(stats.inFlight);
        started.set(stats.started);
        relists.set(stats.listings);
      }
      const asked = await askMetrics(sql).catch(() => undefined);
      up.set(asked === undefined ? 0 : 1);
      if (asked === undefined) return;
      for (const one of [files, rejects, sessions]) one.reset();
      for (const { state, files: count } of asked.states) files.set({ state }, count);
      for (const [outcome, count] of Object.entries(asked.rows)) rows.set({ outcome }, count);
      for (const { code, records } of asked.rejects) rejects.set({ code }, records);
      for (const { state, sessions: count } of asked.sessions) sessions.set({ state }, count);
      paused.set(asked.paused);
      deltas.set(asked.deltas);
      deadlocks.set(asked.deadlocks);
    },
  };
}

/** Empty while the SDK has nothing to say. */
async function readSdkMetrics(url: string | undefined): Promise<string> {
  if (url === undefined) return "";
  return await fetch(url).then((response) => response.text()).catch(() => "");
}
