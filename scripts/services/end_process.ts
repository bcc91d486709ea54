import { readProcess } from "./_process_table.ts";

/** A signal and how long the process gets to obey it. */
export type StopStep = readonly [signal: Deno.Signal, graceMs: number];

/**
 * Ends one process, by ever harder signals, and waits until it is gone.
 *
 * @param process pid and start time; a process that took over the pid is left alone
 * @param steps tried in order, by default SIGTERM for 10 s and then SIGKILL
 * @throws when it outlives the last step
 */
export async function endProcess(
  process: { pid: number; startedAt: string },
  steps: readonly StopStep[] = [["SIGTERM", 10_000], ["SIGKILL", 5_000]],
): Promise<void> {
  for (const [signal, graceMs] of steps) {
    if (!await isRunning(process)) return;
    try {
      Deno.kill(process.pid, signal);
    } catch (error) {
      if (await isRunning(process)) throw error;
    }
    const deadline = performance.now() + graceMs;
    while (performance.now() < deadline) {
      if (!await isRunning(process)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error(`Cannot end process ${process.pid}: still running after the last signal`);
}

/** Whether exactly this process still runs. */
export async function isRunning(process: { pid: number; startedAt: string }): Promise<boolean> {
  return (await readProcess(process.pid))?.startedAt === process.startedAt;
}
