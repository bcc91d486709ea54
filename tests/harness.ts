/**
 * What tests of several parts share: a database of their own, a Temporal server, directories, and
 * waiting for conditions. Under `deno task test` the servers run already; a test file run by hand
 * starts its own.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import postgres from "postgres";
import { makeRunDirectory, startTestServices } from "../scripts/_test_services.ts";
import { migrate, readMigrations } from "../scripts/services/migrate.ts";
import { withDatabaseName } from "../scripts/services/with_database_name.ts";

/** A migrated, empty database. */
export interface TestDatabase extends AsyncDisposable {
  /** As superuser. */
  readonly url: string;
  /** A small pool on it, closed at the end. */
  readonly sql: postgres.Sql;
}

/** Names in the environment under which the test runner says what it started. */
interface TestEnvironment {
  readonly CLICKLEDGER_TEST_DATABASE_URL: string;
  readonly CLICKLEDGER_TEST_TEMPORAL_ADDRESS: string;
  readonly CLICKLEDGER_TEST_BUNDLE: string;
}

let environment: Promise<TestEnvironment> | undefined;
let template: Promise<string> | undefined;

/** Makes a database cloned from a migrated template; disposing it drops it, connected or not. */
export async function testDatabase(): Promise<TestDatabase> {
  const { CLICKLEDGER_TEST_DATABASE_URL: adminUrl } = await readEnvironment();
  const source = await (template ??= makeTemplate(adminUrl));
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await withAdmin(adminUrl, (admin) => admin.unsafe(`create database ${name} template ${source}`));
  const url = withDatabaseName(adminUrl, name);
  const sql = postgres(url, { max: 4, onnotice: () => {} });
  return {
    url,
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 1 });
      await withAdmin(adminUrl, (admin) => admin.unsafe(`drop database ${name} with (force)`));
    },
  };
}

/** Address of a Temporal dev server, shared by all tests of the run: use ids of your own. */
export async function testTemporal(): Promise<string> {
  return (await readEnvironment()).CLICKLEDGER_TEST_TEMPORAL_ADDRESS;
}

/** Both servers of the run, for what makes databases by itself. */
export async function testServices(): Promise<{ databaseUrl: string; temporalAddress: string }> {
  const { CLICKLEDGER_TEST_DATABASE_URL: databaseUrl, CLICKLEDGER_TEST_TEMPORAL_ADDRESS } =
    await readEnvironment();
  return { databaseUrl, temporalAddress: CLICKLEDGER_TEST_TEMPORAL_ADDRESS };
}

/** Path of the bundled workflows, for a worker's `workflowBundle: { codePath }`. */
export async function testBundle(): Promise<string> {
  return (await readEnvironment()).CLICKLEDGER_TEST_BUNDLE;
}

/** A directory of its own that any user can pass through; disposing it removes it. */
export async function tempDir(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "clickledger-" }));
  await Deno.chmod(path, 0o711);
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/**
 * Waits until a condition holds, and gives what it returned.
 *
 * @param condition asked every few milliseconds until it returns something truthy; what it throws
 * ends the wait
 * @param options.what ends the sentence "waited for …"
 */
export async function waitFor<Value>(
  condition: () => Value | Promise<Value>,
  { timeoutMs = 15_000, what }: { timeoutMs?: number; what: string },
): Promise<NonNullable<Value>> {
  const deadline = performance.now() + timeoutMs;
  while (true) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadline) {
      throw new Error(`Cannot go on: waited ${timeoutMs} ms for ${what}, which did not happen`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function readEnvironment(): Promise<TestEnvironment> {
  return environment ??= findOrStartServices();
}

async function findOrStartServices(): Promise<TestEnvironment> {
  const env = Deno.env.toObject();
  const found = env.CLICKLEDGER_TEST_DATABASE_URL && env.CLICKLEDGER_TEST_TEMPORAL_ADDRESS;
  if (found) return env as unknown as TestEnvironment;
  const progress = (line: string) => console.error(line);
  const directory = await makeRunDirectory(progress);
  const { services, env: started } = await startTestServices(directory.path, progress);
  // The end of a test file waits for nothing; what these servers hold is thrown away anyway.
  globalThis.addEventListener("unload", () => {
    for (const { pid } of services.started) Deno.kill(pid, "SIGKILL");
    Deno.removeSync(directory.path, { recursive: true });
  });
  return started as unknown as TestEnvironment;
}

/** Made once per server, by the first who asks; the others wait for it. */
async function makeTemplate(adminUrl: string): Promise<string> {
  const migrations = await readMigrations();
  const checksums = migrations.map(({ checksum }) => checksum).join();
  const hash = createHash("sha256").update(checksums).digest("hex").slice(0, 12);
  const name = `template_${hash}`;
  await withAdmin(adminUrl, async (admin) => {
    await admin`select pg_advisory_lock(hashtext('clickledger.test_template'))`;
    const found = await admin`select from pg_database where datname = ${name}`;
    if (found.length > 0) return;
    const unfinished = `${name}_new`;
    await admin.unsafe(`drop database if exists ${unfinished} with (force)`);
    await admin.unsafe(`create database ${unfinished}`);
    await migrate(withDatabaseName(adminUrl, unfinished));
    await admin.unsafe(`alter database ${unfinished} rename to ${name}`);
    await admin.unsafe(`alter database ${name} with is_template true allow_connections false`);
  });
  return name;
}

async function withAdmin(url: string, use: (admin: postgres.Sql) => Promise<unknown>) {
  // One connection: the advisory lock belongs to it.
  const admin = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await use(admin);
  } finally {
    await admin.end();
  }
}

/** Path of a file of the project, wherever the tests are started. */
export function projectPath(...parts: string[]): string {
  return join(import.meta.dirname ?? "", "..", ...parts);
}
