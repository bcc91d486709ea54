import { peakMemory } from "../../scripts/bench/peak_memory.ts";

/** The most memory that a process has had resident, in whole MiB; NaN where that is not told. */
export async function peakMib(pid: number): Promise<number> {
  return Math.round((await peakMemory(pid) ?? NaN) / 2 ** 20);
}
