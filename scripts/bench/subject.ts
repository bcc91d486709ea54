import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { testConfig, withoutSettings } from "../_test_services.ts";
import { spawnChild } from "./children.ts";
import type { StageServices } from "./stage.ts";

/** A pipeline in a process of its own, as people run it; disposing it drains and ends it. */
export interface Subject extends AsyncDisposable {
  /** Of the process with the worker. */
  readonly pid: number;
  /** From the start of the process until it said that it is ready. */
  readonly readySeconds: number;
  /**
   * Renames files into the inbox, all at once; they stay where they were as well.
   *
   * @returns When the first one landed, as `performance.now()`.
   */
  land(paths: readonly string[]): Promise<number>;
}

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** The command of `deno task dev`, without the task around it: that would be a process of its own. */
async function readDevCommand(): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(join(PROJECT, "deno.json"))) as {
    tasks: { dev: { command: string } };
  };
  const [program, run, ...args] = tasks.dev.command.split(" ");
  if (program !== "deno" || run !== "run") throw new Error("Cannot tell how dev is run");
  return [run, "--quiet", ...args];
}

/**
 * Starts `deno task dev`.
 *
 * @param options.services Servers to use; without, it starts its own in its home.
 * @param options.apart The worker and the watcher in a process each.
 */
export async function startSubject(
  { home, services, apart = false }: { home: string; services?: StageServices; apart?: boolean },
): Promise<Subject> {
  const { cache, inbox, postgresPort, temporalPort, uiPort, dashboardPort } = testConfig(home);
  const env = {
    ...withoutSettings(Deno.env.toObject()),
    CLICKLEDGER_HOME: home,
    CLICKLEDGER_CACHE: cache,
    CLICKLEDGER_POSTGRES_PORT: String(postgresPort),
    CLICKLEDGER_TEMPORAL_PORT: String(temporalPort),
    CLICKLEDGER_UI_PORT: String(uiPort),
    CLICKLEDGER_DASHBOARD_PORT: String(dashboardPort),
    CLICKLEDGER_LOG_LEVEL: "error",
    ...(services && {
      DATABASE_URL: services.databaseUrl,
      TEMPORAL_ADDRESS: services.temporalAddress,
    }),
  };
  const startedAt = performance.now();
  await using processes = new AsyncDisposableStack();
  const first = processes.use(await startDev(apart ? ["--role", "worker"] : [], env));
  if (apart) processes.use(await startDev(["--role", "watch"], env));
  const readySeconds = (performance.now() - startedAt) / 1000;
  // Beside the inbox: only a rename within a file system is one step.
  const wings = join(home, "wings");
  await Deno.mkdir(wings);
  const running = processes.move();
  return {
    pid: first.pid,
    readySeconds,
    async land(paths) {
      const names = paths.map((path) => basename(path));
      for (const [index, path] of paths.entries()) {
        await Deno.link(path, join(wings, names[index]!));
      }
      const landedAt = performance.now();
      for (const name of names) await Deno.rename(join(wings, name), join(inbox, name));
      return landedAt;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function startDev(
  args: readonly string[],
  env: Record<string, string>,
): Promise<AsyncDisposable & { readonly pid: number }> {
  const child = spawnChild(Deno.execPath(), {
    args: [...await readDevCommand(), ...args],
    cwd: PROJECT,
    clearEnv: true,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  });
  let output = "";
  const ready = Promise.withResolvers<void>();
  (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      output = (output + text).slice(-10_000);
      if (/^Ready in /m.test(output)) ready.resolve();
    }
    ready.reject(new Error(`Cannot measure: the pipeline ended:\n${output}`));
  })();
  await ready.promise;
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      const { code } = await child.status;
      if (code !== 0) throw new Error(`Cannot measure: the pipeline ended badly:\n${output}`);
    },
  };
}
