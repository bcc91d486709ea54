import { MockActivityEnvironment } from "@temporalio/testing";
import { DefaultLogger } from "@temporalio/worker";
import {
  type Activities,
  type ActivityDeps,
  createActivities,
} from "../../activities/create_activities.ts";
import { openDatabase } from "../../activities/database.ts";
import { readIdentity } from "../../activities/file_identity.ts";
import type { IngestFileInput } from "../../domain/ingest_api.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { ingestWorkflowId } from "../../domain/workflow_ids.ts";
import { readMigrations } from "../../scripts/services/migrate.ts";
import { tempDir, testDatabase } from "../harness.ts";

/** A workflow as the activities see it. */
export interface Job {
  workflowId: string;
  input: IngestFileInput;
}

/** A database, the folders of one inbox, and the activities of a worker on both. */
export interface Warehouse extends AsyncDisposable {
  /** As superuser. */
  readonly admin: Awaited<ReturnType<typeof testDatabase>>["sql"];
  readonly url: string;
  /** What the activities run on, as the ingest role. */
  readonly deps: ActivityDeps;
  readonly inbox: string;
  readonly inboxId: string;
  /** Writes a file into the inbox. */
  land(name: string, content: string | Uint8Array): Promise<string>;
  /** The workflow that ingests what lies at a path now. */
  job(path: string): Promise<Job>;
  /** Runs one activity in a workflow. */
  run<Name extends keyof Activities>(
    name: Name,
    job: Pick<Job, "workflowId">,
    ...args: Parameters<Activities[Name]>
  ): ReturnType<Activities[Name]>;
  /** Violations of all invariants, of one file or of all. */
  violations(fileId?: number): Promise<string[]>;
}

/** Failures that a test provokes are not news. */
const QUIET = new DefaultLogger("ERROR");

const SETTINGS: IngestFileInput["settings"] = {
  heartbeatTimeoutMs: 1_000,
  chunksPerSpan: 2,
  maxRetryIntervalMs: 100,
  searchAttributes: false,
};

/**
 * Makes an empty warehouse with a worker of its own.
 *
 * @param changes What the worker has otherwise; chunks are 2 kB, some eight records, unless said.
 */
export async function warehouse(changes: Partial<ActivityDeps> = {}): Promise<Warehouse> {
  const disposables = new AsyncDisposableStack();
  const database = disposables.use(await testDatabase());
  const folder = disposables.use(await tempDir());
  const inbox = `${folder.path}/inbox`;
  const spool = `${folder.path}/spool`;
  const directories = { archive: `${folder.path}/archive`, failed: `${folder.path}/failed` };
  for (const path of [inbox, spool, ...Object.values(directories)]) await Deno.mkdir(path);
  const pool = openDatabase(database.url, "ingest", { max: 6 });
  disposables.defer(() => pool.end({ timeout: 1 }));
  const deps: ActivityDeps = {
    sql: pool,
    contracts: new Map([[SHOP_EVENTS.feed, SHOP_EVENTS]]),
    directories,
    archivePolicy: "move",
    expansion: { spool, maxBytes: 10_000_000 },
    chunkBytes: 2_000,
    errorBudget: {},
    worker: "tester",
    schemaVersion: (await readMigrations()).length,
    ...changes,
  };
  const activities = createActivities(deps);
  const inboxId = crypto.randomUUID();
  const run: Warehouse["run"] = (name, { workflowId }, ...args) => {
    const workflowExecution = { workflowId, runId: crypto.randomUUID() };
    const environment = new MockActivityEnvironment({ workflowExecution }, { logger: QUIET });
    const activity = activities[name] as (...args: unknown[]) => Promise<never>;
    return environment.run(() => activity(...args)) as ReturnType<Activities[typeof name]>;
  };
  return {
    admin: database.sql,
    url: database.url,
    deps,
    inbox,
    inboxId,
    async land(name, content) {
      const path = `${inbox}/${name}`;
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(path, bytes);
      return path;
    },
    async job(path) {
      const seen = await readIdentity(path);
      if (seen === null) throw new Error(`Cannot ingest ${path}: nothing lies there`);
      return jobOf(inboxId, seen.identity);
    },
    run,
    async violations(fileId) {
      const rows = await database.sql<{ invariant: string; violation: string }[]>`
        select invariant, violation from ingest.verify(${fileId ?? null})`;
      return rows.map(({ invariant, violation }) => `${invariant}: ${violation}`);
    },
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}

/** The workflow that ingests a version of a file, by the id it has unless one is stored. */
export function jobOf(
  inboxId: string,
  identity: IngestFileInput["identity"],
  workflowId = ingestWorkflowId(inboxId, identity),
): Job {
  const input: IngestFileInput = {
    feed: "shop_events",
    inboxId,
    identity,
    discoveredAt: new Date().toISOString(),
    closedAt: null,
    shortWay: true,
    settings: SETTINGS,
  };
  return { workflowId, input };
}
