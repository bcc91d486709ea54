/** A port that a service needs is in use. */
export class PortTakenError extends Error {
  override readonly name = "PortTakenError";
}

/**
 * Checks that a service can listen on a port of 127.0.0.1.
 *
 * @param service how people call it
 * @param variable the setting that chooses the port
 * @throws {PortTakenError} says which port, and by what setting to change it
 */
export function requireFreePort(port: number, service: string, variable: string): void {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
  } catch (error) {
    const reason = error instanceof Deno.errors.AddrInUse
      ? "the port is taken"
      : error instanceof Deno.errors.PermissionDenied
      ? "this user may not use the port"
      : undefined;
    if (reason === undefined) throw error;
    throw new PortTakenError(
      `Cannot start ${service} on 127.0.0.1:${port}: ${reason}; stop what uses it, or choose ` +
        `another port with ${variable}`,
      { cause: error },
    );
  }
}

/** Below the ports that systems give to outgoing connections: none of these takes it before the service does. */
const PORTS = { lowest: 20_000, count: 12_000 };

/** Those of this process: until its services listen, a port that one of them is to have is free for all others, too. */
const found = new Set<number>();

/**
 * A port that was free a moment ago, and that this process was not given before, unless it was given half of all. Drawn at
 * random, so that several runs side by side rarely want the same.
 */
export function findFreePort(): number {
  if (found.size > PORTS.count / 2) found.clear();
  for (;;) {
    const port = PORTS.lowest + Math.floor(Math.random() * PORTS.count);
    if (found.has(port)) continue;
    found.add(port);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
