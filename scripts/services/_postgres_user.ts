/** A user of the system that PostgreSQL runs as. */
export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Left by a system package (Debian and others; macOS), or made by us. */
const CANDIDATES = ["postgres", "_postgres", "clickledger"] as const;

/**
 * Whom to run PostgreSQL as: it refuses to run as root.
 *
 * @returns undefined when this process is an ordinary user and PostgreSQL runs as the same
 * @throws when this process is root and no other user exists or can be made
 */
export async function choosePostgresUser(): Promise<SystemUser | undefined> {
  if (Deno.uid() !== 0) return undefined;
  for (const name of CANDIDATES) {
    const user = await findUser(name);
    if (user) return user;
  }
  const made = await run("useradd", [
    "--system",
    "--no-create-home",
    "--user-group",
    "clickledger",
  ]) || await run("adduser", ["-S", "-D", "-H", "clickledger"]);
  const user = made ? await findUser("clickledger") : undefined;
  if (user) return user;
  throw new Error(
    "Cannot start PostgreSQL as root: it refuses to run as root, and no user for it could be made; " +
      "make one (useradd --system clickledger), start as an ordinary user, or set DATABASE_URL",
  );
}

/** Whether a user can go to a directory and write there. */
export async function canWrite(directory: string, user: SystemUser | undefined): Promise<boolean> {
  // Tried, not calculated: groups, ACLs and mount options have their say as well.
  return await run("/bin/sh", ["-c", 'cd "$1" && test -w .', "sh", directory], user);
}

/** Whether a user can run a program. */
export async function canRun(
  program: string,
  args: string[],
  user: SystemUser | undefined,
): Promise<boolean> {
  return await run(program, args, user);
}

async function findUser(name: string): Promise<SystemUser | undefined> {
  const [uid, gid] = await Promise.all([readId("-u", name), readId("-g", name)]);
  return uid === undefined || gid === undefined ? undefined : { name, uid, gid };
}

async function readId(option: "-u" | "-g", name: string): Promise<number | undefined> {
  const { success, stdout } = await new Deno.Command("id", {
    args: [option, name],
    stderr: "null",
  }).output();
  return success ? Number(new TextDecoder().decode(stdout)) : undefined;
}

async function run(program: string, args: string[], user?: SystemUser): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, {
      args,
      cwd: "/",
      stdin: "null",
      stdout: "null",
      stderr: "null",
      ...(user && { uid: user.uid, gid: user.gid }),
    }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}
