/**
 * Processes that serve one home: recorded in `<home>/processes/`, so that what a killed parent left
 * behind is found and ended by the next start.
 *
 * @module
 */
import { join } from "node:path";
import { listProcesses, type ProcessInfo, readProcess } from "./_process_table.ts";
import { endProcess, type StopStep } from "./end_process.ts";
import type { Progress } from "./progress.ts";
import { readJsonFile, writeJsonFile } from "./_json_file.ts";

/** How to start a process and to know it again. */
export interface ServiceCommand {
  /** Unique within the home. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** One of the arguments that only a process of this home has, such as a path in it. */
  readonly marker: string;
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** stdout and stderr are appended here by the process itself, so they outlive this one. */
  readonly logFile: string;
  readonly stopSteps: readonly StopStep[];
  /** User and group to run as; unset, those of this process. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** A process started by {@linkcode startProcess}. */
export interface ServiceProcess {
  readonly pid: number;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<Deno.CommandStatus>;
  /** Ends it and forgets it; safe to call twice. */
  stop(): Promise<void>;
}

interface ProcessRecord {
  readonly name: string;
  readonly marker: string;
  readonly stopSteps: readonly StopStep[];
  /** Unset while the process is being started: then only the marker can find it. */
  readonly pid?: number;
  readonly startedAt?: string;
}

/**
 * Starts a recorded process in a session of its own: Ctrl-C in a terminal goes to the whole
 * foreground process group, and would stop the database before the worker has drained.
 */
export async function startProcess(
  home: string,
  command: ServiceCommand,
): Promise<ServiceProcess> {
  const { name, marker, stopSteps } = command;
  // Before the start: a kill -9 between start and record must not leave a process unknown.
  const recordFile = await writeRecord(home, { name, marker, stopSteps });
  const child = new Deno.Command("/bin/sh", {
    // Piped output would die with this process and take the child along at its next line.
    args: [
      "-c",
      'log=$1; shift; exec "$@" >>"$log" 2>&1',
      "sh",
      command.logFile,
      command.program,
      ...command.args,
    ],
    cwd: command.cwd,
    env: command.env,
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
    ...command.user,
  }).spawn();
  // Asked for once: the status may be read by several.
  const ended = child.status;
  const startedAt = (await readProcess(child.pid))?.startedAt;
  const running = { pid: child.pid, startedAt: startedAt ?? "ended" };
  await writeRecord(home, { name, marker, stopSteps, ...running });
  return {
    pid: child.pid,
    ended,
    async stop() {
      await endProcess(running, stopSteps);
      await ended;
      await removeFile(recordFile);
    },
  };
}

/**
 * Records a process that was started otherwise, so that {@linkcode endOrphans} finds it.
 *
 * @param marker one of its arguments that only a process of this home has
 */
export async function recordProcess(
  home: string,
  { name, marker, pid }: { name: string; marker: string; pid: number },
): Promise<void> {
  const startedAt = (await readProcess(pid))?.startedAt ?? "ended";
  await writeRecord(home, { name, marker, stopSteps: [["SIGKILL", 5_000]], pid, startedAt });
}

/**
 * Ends what an earlier process of this home left running. Only with the home locked
 * (`lock_home.ts`), else it would end the services of a living one.
 *
 * A recorded pid counts only while start time and marker are those of the record.
 *
 * @returns names of the services that were ended
 */
export async function endOrphans(home: string, progress: Progress): Promise<string[]> {
  const ended: string[] = [];
  for (const recordFile of await listRecordFiles(home)) {
    const record = await readJsonFile<ProcessRecord>(recordFile);
    if (record) {
      for (const orphan of await findProcesses(record)) {
        progress(`Ending ${record.name} (process ${orphan.pid}), left by an earlier start`);
        await endProcess(orphan, record.stopSteps);
        ended.push(record.name);
      }
    }
    await removeFile(recordFile);
  }
  return ended;
}

async function writeRecord(home: string, record: ProcessRecord): Promise<string> {
  await Deno.mkdir(join(home, "processes"), { recursive: true });
  const recordFile = join(home, "processes", `${record.name}.json`);
  await writeJsonFile(recordFile, record);
  return recordFile;
}

async function listRecordFiles(home: string): Promise<string[]> {
  const directory = join(home, "processes");
  try {
    const entries = await Array.fromAsync(Deno.readDir(directory));
    return entries.filter(({ name }) => name.endsWith(".json"))
      .map(({ name }) => join(directory, name));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function findProcesses({ pid, startedAt, marker }: ProcessRecord): Promise<ProcessInfo[]> {
  const found = pid === undefined
    ? await listProcesses()
    : [await readProcess(pid)].filter((info) => info !== undefined)
      .filter((info) => info.startedAt === startedAt);
  return found.filter(({ command }) => hasArgument(command, marker));
}

/** Whole arguments only: `/data/home` must not find a process of `/data/home-2`. */
function hasArgument(command: string, marker: string): boolean {
  return ` ${command} `.includes(` ${marker} `);
}

async function removeFile(path: string): Promise<void> {
  await Deno.remove(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
