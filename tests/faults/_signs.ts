import { waitFor } from "../harness.ts";

/** Waits for a sign that a worker gave in the gate's folder. */
export function waitForSign(gate: string, name: RegExp): Promise<string> {
  return waitFor(async () => {
    for await (const entry of Deno.readDir(gate)) if (name.test(entry.name)) return entry.name;
  }, { what: `sign ${name}` });
}
