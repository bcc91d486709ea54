/**
 * A watcher in a process of its own, to be killed by tests. Its one argument is {@linkcode WatcherSetup} as JSON.
 *
 * @module
 */
import { Client } from "@temporalio/client";
import { NativeConnection } from "@temporalio/worker";
import { type DatabaseLimits, openDatabase } from "../../activities/database.ts";
import type { IngestSettings } from "../../domain/ingest_api.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { createLogger } from "../../scripts/log.ts";
import { installRuntime } from "../../scripts/services/install_runtime.ts";
import { watchInbox } from "../../scripts/watch_inbox.ts";
import { endWithParent } from "./_end_with_parent.ts";

/** What a test says about a watcher. */
export interface WatcherSetup {
  databaseUrl: string;
  temporalAddress: string;
  inbox: string;
  inboxId: string;
  archive: string;
  failed: string;
  limits: DatabaseLimits;
  settings: IngestSettings;
  settleMs: number;
  relistMs: number;
}

const FILES_IN_FLIGHT = 50;

if (import.meta.main) {
  void endWithParent();
  const { databaseUrl, temporalAddress, archive, failed, limits, ...setup }: WatcherSetup = JSON
    .parse(Deno.args[0] ?? "");
  const log = createLogger("info");
  installRuntime(log);
  watchInbox({
    ...setup,
    directories: { archive, failed },
    contract: SHOP_EVENTS,
    sql: openDatabase(databaseUrl, "ingest", { max: 2, limits }),
    client: new Client({
      connection: await NativeConnection.connect({ address: temporalAddress }),
    }),
    maxFilesInFlight: FILES_IN_FLIGHT,
    eager: false,
    workflowTaskTimeoutMs: 2_000,
    log,
  });
  console.log("ready");
}
