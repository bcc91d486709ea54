import { join } from "node:path";
import { Connection } from "@temporalio/client";
import { prepareLogFile, readLogTail } from "./_service_log.ts";
import { findTemporalBinary } from "./_temporal_binary.ts";
import type { StopStep } from "./end_process.ts";
import { type ServiceProcess, startProcess } from "./processes.ts";
import type { Progress } from "./progress.ts";
import { requireFreePort } from "./require_free_port.ts";
import { registerSearchAttributes, searchAttributeArguments } from "./search_attributes.ts";
import { devServerTarget } from "./temporal_target.ts";

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
  try {
    await waitUntilServing(server, { address, logFile, databaseFile });
    // A database file made by an earlier version may know fewer of them.
    await registerSearchAttributes(devServerTarget(address));
  } catch (error) {
    await server.stop();
    throw error;
  }
  const webUiUrl = `http://127.0.0.1:${uiPort}`;
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
    // Measured: a task waits for a tick of this rate, 50 ms at the default of 20 a second ...
    ...["--dynamic-config-value", "history.transferProcessorMaxPollRPS=1000"],
    // ... and the list of workflows may lag 0.2 s: its updates compete with the tasks for one core.
    ...["--dynamic-config-value", "history.visibilityProcessorMaxPollRPS=5"],
    ...searchAttributeArguments(),
    ...["--log-level", "error"],
  ];
}

async function waitUntilServing(
  server: ServiceProcess,
  { address, logFile, databaseFile }: { address: string; logFile: string; databaseFile: string },
): Promise<void> {
  let hasEnded = false;
  server.ended.then(() => hasEnded = true);
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!hasEnded && performance.now() < deadline) {
    if (await isServing(address)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const what = hasEnded ? "it ended" : `it did not serve within ${START_TIMEOUT_MS / 1000} s`;
  throw new Error(
    `Cannot start Temporal: ${what}. If the log below names the schema of ${databaseFile}, a newer ` +
      "server cannot read it: move the file away, the ledger starts what was under way. The end " +
      `of ${logFile}:\n${await readLogTail(logFile)}`,
  );
}

/** The namespace is made after the port is opened. */
async function isServing(address: string): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: 1_000 });
    try {
      await connection.workflowService.describeNamespace({ namespace: "default" });
      return true;
    } finally {
      await connection.close();
    }
  } catch {
    return false;
  }
}
