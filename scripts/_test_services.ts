import { dirname, join } from "node:path";
import { type Config, readConfig } from "./config.ts";
import { HomeLockedError, lockHome } from "./services/lock_home.ts";
import type { Progress } from "./services/progress.ts";
import { findFreePort } from "./services/require_free_port.ts";
import { type Services, startServices } from "./services/start_services.ts";
import { sweepHomes } from "./services/sweep_homes.ts";
import { workflowBundle } from "./services/workflow_bundle.ts";

const PREFIX = "clickledger-test-";

/** The directory of one test run, with `home` for its services and `tmp` for the tests. */
export interface RunDirectory {
  readonly path: string;
  /** Ends all that the tests left running below it, and removes it. */
  remove(): Promise<void>;
}

/** Services of one test run. */
export interface TestServices {
  readonly services: Services;
  /** What the tests find in their environment. */
  readonly env: Record<string, string>;
}

/** Makes the directory of a test run, and clears away those of runs that were killed. */
export async function makeRunDirectory(progress: Progress): Promise<RunDirectory> {
  const path = await Deno.makeTempDir({ prefix: PREFIX });
  // PostgreSQL's user has to pass through when this is root.
  await Deno.chmod(path, 0o711);
  // Held for the whole run: it tells other runs that this one lives.
  const lock = await lockHome(join(path, "run"));
  await Deno.mkdir(join(path, "tmp"));
  await removeDeadRuns(dirname(path), progress);
  return {
    path,
    async remove() {
      await removeTree(path, progress);
      lock.release();
    },
  };
}

/** Starts PostgreSQL (without fsync) and Temporal on free ports, and builds the workflow bundle. */
export async function startTestServices(
  directory: string,
  progress: Progress,
): Promise<TestServices> {
  const config = testConfig(join(directory, "home"));
  // Bundling needs the processor, the servers mostly wait.
  const [started, bundle] = await Promise.allSettled([
    startServices(config, { progress, fsync: false }),
    workflowBundle({ cache: config.cache, progress }),
  ]);
  if (started.status === "rejected") throw started.reason;
  const services = started.value;
  if (bundle.status === "rejected") {
    await services.stop();
    throw bundle.reason;
  }
  return {
    services,
    env: {
      CLICKLEDGER_TEST_DATABASE_URL: services.databaseUrl,
      CLICKLEDGER_TEST_TEMPORAL_ADDRESS: services.temporalAddress,
      CLICKLEDGER_TEST_BUNDLE: bundle.value.codePath,
    },
  };
}

/** The defaults, but for the home, free ports, and the cache, which is worth sharing. */
export function testConfig(home: string): Config {
  return readConfig({
    ...withoutSettings(Deno.env.toObject()),
    CLICKLEDGER_HOME: home,
    CLICKLEDGER_CACHE: readConfig().cache,
    CLICKLEDGER_POSTGRES_PORT: String(findFreePort()),
    CLICKLEDGER_TEMPORAL_PORT: String(findFreePort()),
    CLICKLEDGER_UI_PORT: String(findFreePort()),
    CLICKLEDGER_DASHBOARD_PORT: String(findFreePort()),
  });
}

/** An environment in which the settings of whoever runs the tests have no say. */
export function withoutSettings(env: Record<string, string>): Record<string, string> {
  const isSetting = (name: string) =>
    name === "DATABASE_URL" || name.startsWith("CLICKLEDGER_") || name.startsWith("TEMPORAL_");
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isSetting(name)));
}

async function removeTree(directory: string, progress: Progress): Promise<void> {
  await sweepHomes(directory, progress);
  await Deno.remove(directory, { recursive: true });
}

async function removeDeadRuns(parent: string, progress: Progress): Promise<void> {
  for (const { name, isDirectory } of await Array.fromAsync(Deno.readDir(parent))) {
    const directory = join(parent, name);
    if (!isDirectory || !name.startsWith(PREFIX)) continue;
    try {
      using _lock = await lockHome(join(directory, "run"));
      await removeTree(directory, progress);
    } catch (error) {
      // Another run that lives, or another user's directory.
      const isExpected = error instanceof HomeLockedError ||
        error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotFound;
      if (!isExpected) throw error;
    }
  }
}
