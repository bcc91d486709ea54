import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Progress } from "./progress.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const BUNDLER = fileURLToPath(new URL("./_build_bundle.ts", import.meta.url));
/** Bundles of other branches and versions that are worth keeping ... */
const MAX_BUNDLES = 8;
/** ... and those that others may work with at this moment: each use makes a bundle young again. */
const IN_USE_MS = 24 * 60 * 60 * 1_000;

/** What a worker takes as `workflowBundle`. */
export interface WorkflowBundle {
  /** Path of the bundled JavaScript. */
  readonly codePath: string;
}

/**
 * The workflows as one JavaScript file, which saves each worker a second and 170 MB: built once,
 * and again when the sources or the versions of the packages change.
 *
 * @param options.cache the bundle lies in its directory `bundles`
 * @param options.project root with `workflows/`, `domain/` and `deno.lock`; by default this project
 */
export async function workflowBundle(
  { cache, progress, project = PROJECT }: { cache: string; progress: Progress; project?: string },
): Promise<WorkflowBundle> {
  const directory = join(cache, "bundles");
  const codePath = join(directory, `${await hashSources(project)}.js`);
  if (await Deno.stat(codePath).then(() => true, () => false)) {
    // A confined process may not write there; who built the bundle for it may.
    await Deno.utime(codePath, new Date(), new Date()).catch(() => {});
    return { codePath };
  }
  progress("Workflows: building the bundle");
  await Deno.mkdir(directory, { recursive: true });
  const temporary = `${codePath}.${crypto.randomUUID()}.tmp`;
  // In a process of its own: webpack would keep its memory until the worker ends.
  const { success, stderr } = await runBundler([
    join(project, "workflows/all_workflows.ts"),
    temporary,
  ]);
  if (!success) {
    throw new Error(`Cannot bundle the workflows: ${new TextDecoder().decode(stderr).trim()}`);
  }
  await Deno.rename(temporary, codePath);
  await removeOldBundles(directory);
  return { codePath };
}

async function runBundler(args: readonly string[]): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--allow-all", "--config", join(PROJECT, "deno.json"), BUNDLER],
        ...args,
      ],
      stdin: "null",
      stdout: "null",
    }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw new Error(
      "Cannot bundle the workflows: this process may not start another; run `deno task bundle` first, " +
        "with the same CLICKLEDGER_CACHE",
      { cause: error },
    );
  }
}

/** Hash over names and bytes of all that goes into a bundle. */
async function hashSources(project: string): Promise<string> {
  const hash = createHash("sha256");
  const files = [
    join(project, "deno.lock"),
    BUNDLER,
    ...await listFiles(join(project, "domain")),
    ...await listFiles(join(project, "workflows")),
  ];
  for (const file of files) {
    const bytes = await Deno.readFile(file);
    hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex").slice(0, 24);
}

async function listFiles(directory: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  const nested = entries.map(({ name, isDirectory }) => {
    const path = join(directory, name);
    return isDirectory ? listFiles(path) : [path];
  });
  return (await Promise.all(nested)).flat().sort();
}

async function removeOldBundles(directory: string): Promise<void> {
  const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  const bundles = await Promise.all(
    names.filter((name) => name.endsWith(".js")).map(
      async (name) => {
        const path = join(directory, name);
        const modified = await Deno.stat(path).then((info) => info.mtime?.getTime() ?? 0, () => 0);
        return { path, modified };
      },
    ),
  );
  bundles.sort((a, b) => b.modified - a.modified);
  const old = bundles.slice(MAX_BUNDLES).filter(({ modified }) =>
    modified < Date.now() - IN_USE_MS
  );
  for (const { path } of old) await Deno.remove(path).catch(() => {});
}
