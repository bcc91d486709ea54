/** Addresses at which some processes listen, as `/proc` writes them: hexadecimal, each word reversed. */
export async function listeningAddresses(pids: readonly number[]): Promise<string[]> {
  const sockets = new Set((await Promise.all(pids.map(socketsOf))).flat());
  const tables = await Promise.all(["tcp", "tcp6"].map((name) => listeners(`/proc/net/${name}`)));
  return tables.flat().filter(({ inode }) => sockets.has(inode)).map(({ address }) => address);
}

/** 127.0.0.1 and ::1, as {@linkcode listeningAddresses} gives them. */
export const LOOPBACK: readonly string[] = ["0100007F", "00000000000000000000000001000000"];

/** State of a socket that listens. */
const LISTEN = "0A";

async function listeners(table: string): Promise<{ address: string; inode: string }[]> {
  const lines = (await Deno.readTextFile(table)).trim().split("\n").slice(1);
  return lines.map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN)
    .map((fields) => ({ address: fields[1]!.split(":")[0]!, inode: fields[9]! }));
}

async function socketsOf(pid: number): Promise<string[]> {
  const directory = `/proc/${pid}/fd`;
  const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  const targets = await Promise.all(
    names.map((name) => Deno.readLink(`${directory}/${name}`).catch(() => "")),
  );
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
}
