import { join } from "node:path";
import type { Progress } from "./progress.ts";
import { canWrite, type SystemUser } from "./_postgres_user.ts";

/**
 * The directory for the data of a home's PostgreSQL: `<home>/postgres`, or, when root's home lies
 * where PostgreSQL's user cannot go (such as below /root), one in `/var/lib/clickledger`, whose
 * path is kept in `<home>/postgres/location`.
 */
export async function choosePostgresDirectory(
  home: string,
  user: SystemUser | undefined,
  progress: Progress,
): Promise<string> {
  const preferred = join(home, "postgres");
  await Deno.mkdir(preferred, { recursive: true });
  const locationFile = join(preferred, "location");
  const location = await Deno.readTextFile(locationFile).catch(() => undefined);
  if (location !== undefined) return location.trim();
  if (user) await Deno.chown(preferred, user.uid, user.gid);
  if (await canWrite(preferred, user)) return preferred;
  const directory = await makeElsewhere(preferred, user);
  await Deno.writeTextFile(locationFile, `${directory}\n`);
  progress(
    `PostgreSQL: user ${user?.name} cannot reach ${preferred}; its data goes to ${directory}`,
  );
  return directory;
}

async function makeElsewhere(preferred: string, user: SystemUser | undefined): Promise<string> {
  const parent = "/var/lib/clickledger";
  try {
    if (!user) throw new Deno.errors.PermissionDenied("not writable");
    await Deno.mkdir(parent, { recursive: true, mode: 0o755 });
    const directory = await Deno.makeTempDir({ dir: parent, prefix: "postgres-" });
    await Deno.chown(directory, user.uid, user.gid);
    if (await canWrite(directory, user)) return directory;
    throw new Deno.errors.PermissionDenied(`user ${user.name} cannot write to ${directory}`);
  } catch (error) {
    throw new Error(
      `Cannot start PostgreSQL: user ${user?.name ?? Deno.uid()} cannot write to ${preferred}; ` +
        "choose another directory with CLICKLEDGER_HOME, or set DATABASE_URL",
      { cause: error },
    );
  }
}
