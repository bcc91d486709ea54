import { join } from "node:path";
import postgres from "postgres";
import type { Sql } from "../../activities/database.ts";
import { openQueryPool } from "../cli/with_database.ts";
import { migrate } from "../services/migrate.ts";
import { withDatabaseName } from "../services/with_database_name.ts";
import { type Inputs, openInputs } from "./inputs.ts";
import { startSubject, type Subject } from "./subject.ts";

/** Servers that benches use. */
export interface StageServices {
  /** As superuser. */
  readonly databaseUrl: string;
  readonly temporalAddress: string;
}

/** A migrated database, empty at first; disposing it drops it. */
export interface StageDatabase extends AsyncDisposable {
  /** As superuser. */
  readonly url: string;
  readonly sql: Sql;
}

/** Where benches run: servers and input files for all of them, a database and a home for each run. Disposing it drops its template. */
export interface Stage extends AsyncDisposable {
  readonly services: StageServices;
  readonly inputs: Inputs;
  database(): Promise<StageDatabase>;
  /**
   * `deno task dev` on that database, in a home of its own.
   *
   * @param options.apart The worker and the watcher in a process each.
   */
  subject(database: StageDatabase, options?: { apart?: boolean }): Promise<Subject>;
  /** A path that nobody has yet. */
  path(name: string): string;
}

/**
 * @param services Servers that run.
 * @param directory Exists; what is made lies there, and is not removed.
 */
export async function openStage(services: StageServices, directory: string): Promise<Stage> {
  const template = await makeTemplate(services.databaseUrl);
  let made = 0;
  const path = (name: string) => join(directory, `${name}-${++made}`);
  return {
    services,
    inputs: openInputs(join(directory, "inputs")),
    database: () => cloneDatabase(services.databaseUrl, template),
    subject: ({ url }, { apart = false } = {}) =>
      startSubject({ home: path("home"), services: { ...services, databaseUrl: url }, apart }),
    path,
    [Symbol.asyncDispose]: () => administer(services.databaseUrl, dropping(template)),
  };
}

async function makeTemplate(adminUrl: string): Promise<string> {
  const name = uniqueName("bench_template");
  await administer(adminUrl, (admin) => admin.unsafe(`create database ${name}`));
  await migrate(withDatabaseName(adminUrl, name));
  return name;
}

async function cloneDatabase(adminUrl: string, template: string): Promise<StageDatabase> {
  const name = uniqueName("bench");
  await administer(adminUrl, async (admin) => {
    await admin.unsafe(`create database ${name} template ${template}`);
    // What earlier runs wrote must not be flushed at the cost of this one.
    await admin`checkpoint`;
  });
  const url = withDatabaseName(adminUrl, name);
  const sql = openQueryPool(url, "owner");
  return {
    url,
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 2 });
      await administer(adminUrl, dropping(name));
    },
  };
}

function dropping(name: string) {
  return (admin: postgres.Sql) => admin.unsafe(`drop database ${name} with (force)`);
}

function uniqueName(prefix: string): string {
  return `${prefix}_${crypto.randomUUID().replaceAll("-", "")}`;
}

async function administer(url: string, use: (admin: postgres.Sql) => Promise<unknown>) {
  const admin = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await use(admin);
  } finally {
    await admin.end();
  }
}
