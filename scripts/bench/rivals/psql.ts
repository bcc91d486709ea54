import { spawnChild } from "../children.ts";
import { canRun } from "./can_run.ts";

/** The program, found on the PATH; the embedded PostgreSQL comes without it. */
const PSQL = "psql";

/** Whether it is installed. */
export function hasPsql(): Promise<boolean> {
  return canRun(PSQL, ["--version"]);
}

/**
 * Runs a script as a person would: `psql -f`.
 *
 * @returns Seconds from the start of the program to its end.
 * @throws with what it said, when a statement failed
 */
export async function runPsql(url: string, script: string): Promise<number> {
  const { hostname, port, username, password, pathname } = new URL(url);
  const startedAt = performance.now();
  const child = spawnChild(PSQL, {
    args: ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"],
    // Not in the arguments, which every user of the machine can read.
    env: {
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: username,
      PGPASSWORD: password,
      PGDATABASE: pathname.slice(1),
    },
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  });
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  const { success, stderr } = await child.output();
  if (!success) throw new Error(`Cannot measure: psql failed: ${new TextDecoder().decode(stderr)}`);
  return (performance.now() - startedAt) / 1000;
}
