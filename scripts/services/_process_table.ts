/** One running process of this machine. */
export interface ProcessInfo {
  readonly pid: number;
  /** Differs between two processes that had the same pid; equal text means the same process. */
  readonly startedAt: string;
  /** Program and arguments, separated by spaces. */
  readonly command: string;
}

/**
 * Looks at one process.
 *
 * @returns undefined when it has ended, also when it only waits for its parent to notice
 */
export async function readProcess(pid: number): Promise<ProcessInfo | undefined> {
  if (Deno.build.os === "linux") return await readProc(pid);
  return (await readPs(["-p", String(pid)]))[0];
}

/** All processes of this machine that may be looked at. */
export async function listProcesses(): Promise<ProcessInfo[]> {
  if (Deno.build.os !== "linux") return await readPs(["-A"]);
  const processes: ProcessInfo[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const found = /^\d+$/.test(name) ? await readProc(Number(name)) : undefined;
    if (found) processes.push(found);
  }
  return processes;
}

/** Not by `ps`, which a minimal container image lacks. */
async function readProc(pid: number): Promise<ProcessInfo | undefined> {
  try {
    const [stat, cmdline, boot] = await Promise.all([
      Deno.readTextFile(`/proc/${pid}/stat`),
      Deno.readTextFile(`/proc/${pid}/cmdline`),
      Deno.readTextFile("/proc/sys/kernel/random/boot_id"),
    ]);
    // The program's name, in parentheses, may itself contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, ticks] = [fields[0], fields[19]];
    if (state === "Z" || state === "X" || ticks === undefined) return undefined;
    const command = cmdline.replaceAll("\0", " ").trim();
    return { pid, startedAt: `${boot.trim()} ${ticks}`, command };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** The process may end between two looks: ESRCH has neither class nor code in Deno, only its message. */
function isGone(error: unknown): boolean {
  if (error instanceof Deno.errors.NotFound) return true;
  return error instanceof Error && /ESRCH|No such process|os error 3\b/.test(error.message);
}

async function readPs(selection: string[]): Promise<ProcessInfo[]> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["-ww", "-o", "pid=,stat=,lstart=,command=", ...selection],
    env: { LC_ALL: "C" },
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout).split("\n").flatMap((line) => {
    // 4711 S+ Mon Nov 23 05:02:16 2026 /path/of/program arguments
    const match = /^\s*(\d+)\s+(\S+)\s+(\w+ \w+ +\d+ [\d:]+ \d+)\s+(.*)$/.exec(line);
    const [, pid, state, startedAt, command] = match ?? [];
    if (!pid || !startedAt || command === undefined || state?.startsWith("Z")) return [];
    return [{ pid: Number(pid), startedAt, command }];
  });
}
