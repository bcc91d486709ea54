/**
 * The most memory that a process has had resident since its start.
 *
 * @returns Bytes; undefined where there is no `/proc`.
 */
export async function peakMemory(pid: number): Promise<number | undefined> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
