import { announceChanges } from "../../activities/announce_changes.ts";
import type { ActivityDeps } from "../../activities/create_activities.ts";
import { DEFAULT_LIMITS, openDatabase, type Sql } from "../../activities/database.ts";
import { LoadAhead } from "../../activities/load_ahead.ts";
import type { Contract } from "../../domain/contract.ts";
import type { ErrorBudget } from "../../domain/error_budget.ts";
import type { IngestSettings } from "../../domain/ingest_api.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import type { Config } from "../config.ts";
import { readMigrations } from "./migrate.ts";

/** A span is one activity: at most this many chunks and bytes. */
const SPAN_CHUNKS = 16;
const SPAN_BYTES = 64 * 1024 * 1024;
/** One is read while PostgreSQL works on the others. */
const SPANS_IN_FLIGHT = 3;
/** After an outage, loading goes on at the latest this much later. */
const MAX_RETRY_INTERVAL_MS = 5_000;

/** What workflows are told about this deployment. */
export function ingestSettings(
  { heartbeatTimeoutMs, chunkBytes }: Pick<Config, "heartbeatTimeoutMs" | "chunkBytes">,
  searchAttributes: boolean,
): IngestSettings {
  return {
    heartbeatTimeoutMs,
    chunksPerSpan: Math.max(1, Math.min(SPAN_CHUNKS, Math.floor(SPAN_BYTES / chunkBytes))),
    spansInFlight: SPANS_IN_FLIGHT,
    maxRetryIntervalMs: MAX_RETRY_INTERVAL_MS,
    searchAttributes,
  };
}

/** A pool of the ingest role, with the time limits of the settings. */
export function openIngestPool(
  config: Config,
  ownerUrl: string,
  { max }: { max: number },
): Sql {
  const { ingestDatabaseUrl, statementTimeoutMs, idleInTransactionTimeoutMs } = config;
  return openDatabase(ingestDatabaseUrl ?? ownerUrl, "ingest", {
    max,
    limits: {
      ...DEFAULT_LIMITS,
      idleInTransactionTimeoutMs,
      transactionTimeoutMs: statementTimeoutMs,
      // The server is asked first: it answers with an error, the socket's end with a guess.
      statementDeadlineMs: statementTimeoutMs + 5_000,
    },
  });
}

/** The feed of this deployment: its contract, and how many rejects a file may have. */
export function feedSettings(
  { drift, maxRejects, maxRejectShare }: Pick<Config, "drift" | "maxRejects" | "maxRejectShare">,
): { contract: Contract; errorBudget: ErrorBudget } {
  return {
    contract: { ...SHOP_EVENTS, drift },
    errorBudget: {
      ...(maxRejects !== undefined && { maxRejects }),
      ...(maxRejectShare !== undefined && { maxRejectShare }),
    },
  };
}

/** What the activities of this process work with; its pool is the caller's to end. */
export async function workerDeps(config: Config, ownerUrl: string): Promise<ActivityDeps> {
  const { archive, failed, archivePolicy, chunkBytes } = config;
  const { contract, errorBudget } = feedSettings(config);
  const sql = openIngestPool(config, ownerUrl, { max: config.databasePool });
  return {
    sql,
    onChange: announceChanges(sql),
    contracts: new Map([[contract.feed, contract]]),
    directories: { archive, failed },
    archivePolicy,
    expansion: { spool: config.spool, maxBytes: config.maxExpandedBytes },
    chunkBytes,
    errorBudget,
    worker: `${Deno.hostname()}/${Deno.pid}`,
    schemaVersion: (await readMigrations()).length,
    // It keeps a connection until its activity runs: one that needs another may come first.
    ...(config.databasePool > 1 && { loadAhead: new LoadAhead() }),
  };
}
