import type { SystemUser } from "./_postgres_user.ts";

const MAX_LOG_BYTES = 10 * 1024 * 1024;

/** Makes a log file that a service's user can append to; a long one is put aside as `.old`. */
export async function prepareLogFile(path: string, user?: SystemUser): Promise<void> {
  const size = await Deno.stat(path).then((info) => info.size).catch(() => 0);
  if (size > MAX_LOG_BYTES) await Deno.rename(path, `${path}.old`);
  await Deno.writeTextFile(path, "", { append: true, mode: 0o600 });
  if (user) await Deno.chown(path, user.uid, user.gid);
}

/** The last lines of a log file, for an error message. */
export async function readLogTail(path: string, lines = 12): Promise<string> {
  const text = await Deno.readTextFile(path).catch(() => "");
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}
