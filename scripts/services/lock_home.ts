import { join } from "node:path";

/** Another process has locked the home. */
export class HomeLockedError extends Error {
  override readonly name = "HomeLockedError";

  constructor(readonly home: string, readonly pid: number | undefined) {
    super(
      `Cannot start in ${home}: ${
        pid ? `process ${pid}` : "another process"
      } runs there already; ` +
        `stop it (Ctrl-C, or kill ${pid ?? "its pid"}), or choose another home with ` +
        "CLICKLEDGER_HOME and other ports, or use what runs there: deno task ingest, files, sql",
    );
  }
}

/**
 * Makes this process the only one that starts services in a home. The kernel lets go of the lock
 * when the process ends, however it ends; children do not inherit it.
 *
 * @returns disposing it, or `release()`, lets the next one in
 * @throws {HomeLockedError} names the process that has it
 */
export async function lockHome(home: string): Promise<Disposable & { release(): void }> {
  await Deno.mkdir(home, { recursive: true }).catch((error: Error) => {
    const reason = error.message.replace(/: mkdir .*$/, "");
    throw new Error(`Cannot create CLICKLEDGER_HOME ${home}: ${reason}`, { cause: error });
  });
  const file = await Deno.open(join(home, "lock"), { create: true, read: true, write: true });
  if (!await file.tryLock(true)) {
    file.close();
    const pid = Number(await Deno.readTextFile(join(home, "lock")));
    throw new HomeLockedError(home, pid > 0 ? pid : undefined);
  }
  await file.truncate(0);
  await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  let open = true;
  const release = () => {
    if (open) file.close();
    open = false;
  };
  return { release, [Symbol.dispose]: release };
}
