import { join } from "node:path";
import { prepareLogFile, readLogTail } from "./_service_log.ts";
import { findTemporalBinary } from "./_temporal_binary.ts";
import type { StopStep } from "./end_process.ts";
import { type ServiceProcess, startProcess } from "./processes.ts";
import type { Progress } from "./progress.ts";
import { requireFreePort } from "./require_free_port.ts";
import { missingSearchAttributes, searchAttributeTypes } from "./search_attributes.ts";

const START_TIMEOUT_MS = 60_000;
const STOP_STEPS: readonly StopStep[] = [["SIGTERM", 10_000], ["SIGKILL", 5_000]];

/** A running Temporal dev server. */
export interface TemporalDevServer {
  /** `host:port` of the frontend. */
  readonly address: string;
  readonly webUiUrl: string;
  readonly pid: number;
  /** Resolves when the server has ended, for whatever reason. */
  readonly ended: Promise<Deno.CommandStatus>;
  /** Ends the server; its SQLite file keeps the histories; safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts the Temporal dev server of a home, with Web UI, and waits until it serves.
 *
 * The caller holds the lock of the home (`lock_home.ts`).
 *
 * @param options.port of the frontend, on 127.0.0.1
 * @param options.uiPort of the Web UI, on 127.0.0.1
 * @param options.cache where a fetched server program is kept
 * @throws {PortTakenError} naming port and setting; else an error with the end of the server's log
 */
export async function startTemporal(
  { home, cache, port, uiPort, progress }: {
    home: string;
    cache: string;
    port: number;
    uiPort: number;
    progress: Progress;
  },
): Promise<TemporalDevServer> {
  requireFreePort(port, "Temporal", "CLICKLEDGER_TEMPORAL_PORT");
  requireFreePort(uiPort, "Temporal's Web UI", "CLICKLEDGER_UI_PORT");
  const program = await findTemporalBinary(cache, progress);
  const directory = join(home, "temporal");
  await Deno.mkdir(directory, { recursive: true });
  const databaseFile = join(directory, "temporal.db");
  const logFile = join(directory, "temporal.log");
  await prepareLogFile(logFile);
  const server = await startProcess(home, {
    name: "temporal",
    program,
    args: serverArguments({ databaseFile, port, uiPort }),
    marker: databaseFile,
    cwd: directory,
    env: { HOME: directory, PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" },
    logFile,
    stopSteps: STOP_STEPS,
  });
  const address = `127.0.0.1:${port}`;
  const webUiUrl = `http://127.0.0.1:${uiPort}`;
  try {
    await waitUntilServing(server, { webUiUrl, logFile, databaseFile });
    await addSearchAttributes(program, { address, webUiUrl });
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { address, webUiUrl, pid: server.pid, ended: server.ended, stop: () => server.stop() };
}

function serverArguments(
  { databaseFile, port, uiPort }: { databaseFile: string; port: number; uiPort: number },
): string[] {
  return [
    "server",
    "start-dev",
    ...["--ip", "127.0.0.1", "--port", String(port), "--ui-port", String(uiPort)],
    ...["--db-filename", databaseFile],
    // Writers do not wait for readers, and a commit not for the disk: what a power cut loses here,
    // the ledger starts again.
    ...["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"],
    // A page that changes again and again goes from the log to the file once in 40 MB, not in 4.
    ...["--sqlite-pragma", "wal_autocheckpoint=10000"],
    // Measured: a task waits for a tick of this rate, 50 ms at the default of 20 a second ...
    ...["--dynamic-config-value", "history.transferProcessorMaxPollRPS=1000"],
    // ... and the list of workflows may lag 0.2 s: its updates compete with the tasks for one core.
    ...["--dynamic-config-value", "history.visibilityProcessorMaxPollRPS=5"],
    // A timer is late by up to this, 1 s by default: measured, waits of 40 ms took 1,000, and now 50.
    ...["--dynamic-config-value", 'history.timerProcessorMaxTimeShift="10ms"'],
    ...searchAttributeTypes().flatMap((pair) => ["--search-attribute", pair.join("=")]),
    ...["--log-level", "error"],
  ];
}

async function waitUntilServing(
  server: ServiceProcess,
  { webUiUrl, logFile, databaseFile }: { webUiUrl: string; logFile: string; databaseFile: string },
): Promise<void> {
  let hasEnded = false;
  server.ended.then(() => hasEnded = true);
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!hasEnded && performance.now() < deadline) {
    if (await isServing(webUiUrl)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const what = hasEnded ? "it ended" : `it did not serve within ${START_TIMEOUT_MS / 1000} s`;
  throw new Error(
    `Cannot start Temporal: ${what}. If the log below names the schema of ${databaseFile}, a newer ` +
      "server cannot read it: move the file away, the ledger starts what was under way. The end " +
      `of ${logFile}:\n${await readLogTail(logFile)}`,
  );
}

/**
 * The Web UI passes calls on to the frontend. Not by gRPC: the client for it is made for Node's
 * HTTP/2, and in Deno 2.9 an idle connection, which the server closes after two minutes, crashes the
 * whole process (nghttp2, `find_stream_on_goaway_func`); the SDK's native connection is sound, but
 * would set up its runtime before the command could.
 */
async function isServing(webUiUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${webUiUrl}/api/v1/namespaces/default`);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** A database file made by an earlier version knows fewer, and the server's arguments add none. */
async function addSearchAttributes(
  program: string,
  { address, webUiUrl }: { address: string; webUiUrl: string },
): Promise<void> {
  const response = await fetch(`${webUiUrl}/api/v1/namespaces/default/search-attributes`);
  const missing = missingSearchAttributes(await response.json());
  if (missing.length === 0) return;
  const types = searchAttributeTypes().filter(([name]) => missing.includes(name));
  const { success, stderr } = await new Deno.Command(program, {
    args: [
      ...["operator", "search-attribute", "create", "--address", address],
      ...types.flatMap(([name, type]) => ["--name", name, "--type", type]),
    ],
    stdin: "null",
    stdout: "null",
  }).output();
  if (!success) {
    throw new Error(
      `Cannot register search attributes: ${new TextDecoder().decode(stderr).trim()}`,
    );
  }
}
