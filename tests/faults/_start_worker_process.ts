import { projectPath } from "../harness.ts";
import type { GeneratorSetup } from "./_generator_process.ts";
import type { WatcherSetup } from "./_watcher_process.ts";
import type { WorkerSetup } from "./_worker_process.ts";

/** A worker in a process of its own. */
export interface WorkerProcess {
  pid: number;
  /** Does nothing when it has ended. */
  kill(signal: Deno.Signal): void;
  exited: Promise<Deno.CommandStatus>;
}

/**
 * Starts a worker process and waits until it is ready.
 *
 * @param setup What the script is told.
 * @param logs Gets all that it writes.
 * @param script Path within the project.
 */
export async function startWorkerProcess(
  setup: WorkerSetup | WatcherSetup | GeneratorSetup,
  logs: string[],
  script = "tests/faults/_worker_process.ts",
): Promise<WorkerProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      ...("exhaustedHeapMb" in setup
        ? [`--v8-flags=--max-old-space-size=${setup.exhaustedHeapMb}`]
        : []),
      projectPath(script),
      JSON.stringify(setup),
    ],
    // Open as long as this process lives: see `endWithParent`.
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let ended = false;
  const exited = child.status.finally(() => {
    ended = true;
    child.stdin.close().catch(() => {});
  });
  const first = logs.length;
  const isReady = () => logs.slice(first).some((text) => text.includes("ready\n"));
  const ready = new Promise<void>((resolve, reject) => {
    const onText = () => isReady() && resolve();
    const onEnd = () =>
      reject(new Error(`Cannot start the worker:\n${logs.slice(first).join("")}`));
    collect(child.stdout, logs, onText).then(onEnd);
    collect(child.stderr, logs, onText);
  });
  await ready;
  return {
    pid: child.pid,
    exited,
    kill: (signal) => {
      if (!ended) tryKill(child.pid, signal);
    },
  };
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  logs: string[],
  onText: () => void,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    logs.push(decoder.decode(bytes, { stream: true }));
    onText();
  }
}

/** The process may have ended a moment ago. */
function tryKill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
