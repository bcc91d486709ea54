import { fileURLToPath } from "node:url";
import { spawnChild } from "../children.ts";

const PROCESS = fileURLToPath(new URL("_noop_process.ts", import.meta.url));

/**
 * What a workflow costs the Temporal server by itself: each has one activity, which does nothing.
 *
 * @returns Seconds that so many took, in a process of their own.
 */
export async function runNoopWorkflows(address: string, count: number): Promise<number> {
  const { success, stdout, stderr } = await spawnChild(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", PROCESS, address, String(count)],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (!success) throw new Error(`Cannot measure: no-op workflows failed: ${decode(stderr)}`);
  return Number(decode(stdout));
}
