import { findFreePort } from "../../../scripts/services/require_free_port.ts";
import { projectPath } from "../../harness.ts";

/** A supervisor in a process of its own. */
export interface Holder {
  readonly child: Deno.ChildProcess;
  /** Its answer once the services run; rejects with what it wrote to stderr when they do not. */
  readonly ready: Promise<{
    databaseUrl: string;
    started: { name: string; pid: number }[];
    pid: number;
    uid: number;
  }>;
  /** All it wrote to stderr, once it has ended. */
  readonly stderr: Promise<string>;
}

/** Starts `_hold_services.ts` in a session of its own, so that a signal can be sent to its group. */
export function spawnHolder(
  home: string,
  { only = "postgres", port = findFreePort(), user, env = {} }: {
    only?: string;
    port?: number;
    user?: { uid: number; gid: number };
    env?: Record<string, string>;
  } = {},
): Holder {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      // As installed: an ordinary user can neither fetch packages here nor write the lock file.
      ...["run", "--allow-all", "--no-lock", "--node-modules-dir=manual"],
      projectPath("tests/scripts/services/_hold_services.ts"),
      ...[home, String(port), only],
    ],
    cwd: projectPath(),
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
    ...user,
  }).spawn();
  // A test that fails half-way must not wait for it forever.
  const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
  child.status.then(() => clearTimeout(timer));
  const stderr = new Response(child.stderr).text();
  return { child, stderr, ready: readAnswer(child, stderr) };
}

async function readAnswer(child: Deno.ChildProcess, stderr: Promise<string>) {
  let text = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.includes("\n")) return JSON.parse(text.slice(0, text.indexOf("\n")));
  }
  throw new Error(await stderr);
}
