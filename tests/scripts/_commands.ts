import { withoutSettings } from "../../scripts/_test_services.ts";
import { readRunFile, type RunFile } from "../../scripts/services/run_file.ts";
import { findFreePort } from "../../scripts/services/require_free_port.ts";
import { projectPath, tempDir, testDatabase, testTemporal, waitFor } from "../harness.ts";

/** What a command printed and how it ended. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `scripts/<name>.ts` to its end, with no settings but those given. */
export async function runCommand(
  name: string,
  args: readonly string[],
  { env = {}, stdin }: { env?: Record<string, string>; stdin?: string } = {},
): Promise<Outcome> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", projectPath("scripts", `${name}.ts`), ...args],
    cwd: projectPath(),
    clearEnv: true,
    env: { ...withoutSettings(Deno.env.toObject()), NO_COLOR: "1", ...env },
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** `dev` in a process of its own. */
export interface RunningDev extends AsyncDisposable {
  /** What `run.json` says. */
  readonly run: RunFile;
  /** Of the process that was started, which is `deno task` when that was asked for. */
  readonly pid: number;
  readonly ended: Promise<Deno.CommandStatus>;
  /** What it has written so far. */
  readonly output: () => string;
}

/** Starts `dev` and waits until it is ready; disposing it ends it. */
export async function startDev(
  env: Record<string, string> & { CLICKLEDGER_HOME: string },
  { viaTask = false, args = [] }: { viaTask?: boolean; args?: string[] } = {},
): Promise<RunningDev> {
  const script = projectPath("scripts", "dev.ts");
  const child = new Deno.Command(Deno.execPath(), {
    args: [...viaTask ? ["task", "dev"] : ["run", "--no-check", "-A", script], ...args],
    cwd: projectPath(),
    clearEnv: true,
    env: { ...withoutSettings(Deno.env.toObject()), NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let output = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) output += text;
  })();
  let hasEnded = false;
  const ended = child.status;
  ended.then(() => hasEnded = true);
  async function end(): Promise<void> {
    if (!hasEnded) child.kill("SIGTERM");
    await ended;
    await reading;
  }
  try {
    await waitFor(() => hasEnded || output.includes("Ready in"), {
      timeoutMs: 60_000,
      what: "dev to be ready",
    });
    const run = await readRunFile(env.CLICKLEDGER_HOME);
    if (run === undefined) throw new Error(`dev did not start:\n${output}`);
    return { run, pid: child.pid, ended, output: () => output, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** A home of its own on the services of the test run, and the settings that lead there. */
export interface TestHome extends AsyncDisposable {
  readonly path: string;
  readonly env: Record<string, string> & { CLICKLEDGER_HOME: string };
  readonly sql: Awaited<ReturnType<typeof testDatabase>>["sql"];
}

/** Makes a home with a database of its own; nothing has to be started for it but the product. */
export async function testHome(): Promise<TestHome> {
  const parts = new AsyncDisposableStack();
  const directory = parts.use(await tempDir());
  const database = parts.use(await testDatabase());
  return {
    path: directory.path,
    sql: database.sql,
    env: {
      CLICKLEDGER_HOME: directory.path,
      CLICKLEDGER_SETTLE_MS: "100",
      CLICKLEDGER_DASHBOARD_PORT: String(findFreePort()),
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: await testTemporal(),
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** Settings of a home with services of its own, on free ports. */
export function ownServices(home: string): Record<string, string> & { CLICKLEDGER_HOME: string } {
  return {
    CLICKLEDGER_HOME: home,
    CLICKLEDGER_POSTGRES_PORT: String(findFreePort()),
    CLICKLEDGER_TEMPORAL_PORT: String(findFreePort()),
    CLICKLEDGER_UI_PORT: String(findFreePort()),
    CLICKLEDGER_DASHBOARD_PORT: String(findFreePort()),
  };
}
