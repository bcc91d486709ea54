import { Client } from "@temporalio/client";
import type { Sql } from "../../activities/database.ts";
import type { Config } from "../config.ts";
import { readInboxId } from "../services/inbox_id.ts";
import { readRunFile } from "../services/run_file.ts";
import { devServerTarget, readTemporalTarget } from "../services/temporal_target.ts";
import { TaskError } from "./failures.ts";
import { openQueryPool } from "./with_database.ts";

/** What runs, as a command from outside sees it. */
export interface Running {
  readonly client: Client;
  /** Pool of the ingest role. */
  readonly sql: Sql;
  /** Absolute path. */
  readonly inbox: string;
  readonly inboxId: string;
  readonly webUiUrl?: string;
}

/**
 * Does something with what runs in this home, or with the servers that the settings name.
 *
 * @param doing ends the sentence "Cannot …" when nothing runs
 * @throws {TaskError} saying what to start
 */
export async function withRunning<Result>(
  config: Config,
  doing: string,
  work: (running: Running) => Promise<Result>,
): Promise<Result> {
  const run = await readRunFile(config.home);
  const target = readTemporalTarget(config) ?? (run && devServerTarget(run.temporalAddress));
  const url = run?.ownerDatabaseUrl ?? config.ingestDatabaseUrl ?? config.databaseUrl;
  if (target === undefined || url === undefined) {
    throw new TaskError(
      `Cannot ${doing}: nothing runs in ${config.home}; start \`deno task dev\` in another terminal`,
    );
  }
  const inbox = run?.inbox ?? config.inbox;
  await Deno.mkdir(inbox, { recursive: true });
  await using parts = new AsyncDisposableStack();
  // Only here: it is native code, which a process that is confined to a permission set may not load.
  const { NativeConnection } = await import("@temporalio/worker");
  // Not the client package's own connection: over Deno's HTTP/2 it ends the process when a server closes it.
  const connection = await NativeConnection.connect(target.connectionOptions);
  parts.defer(() => connection.close());
  const sql = openQueryPool(url, "ingest");
  parts.defer(() => sql.end({ timeout: 2 }));
  return await work({
    client: new Client({ connection, namespace: target.namespace }),
    sql,
    inbox,
    inboxId: await readInboxId(inbox),
    ...(run?.webUiUrl === undefined ? {} : { webUiUrl: run.webUiUrl }),
  });
}
