/** Whether this process may mount file systems, as root in most containers may not. */
export function canMount(): boolean {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const directory = Deno.makeTempDirSync({ prefix: "clickledger-mount-" });
  try {
    using _disk = mountDisk(directory, "256k");
    return true;
  } catch {
    return false;
  } finally {
    Deno.removeSync(directory);
  }
}

/** A disk of its own on a directory, unmounted when it is disposed. */
export interface MountedDisk extends Disposable {
  /** Mounts it anew, for reading only or for both. */
  remount(mode: "ro" | "rw"): void;
  /** Takes all that is left but a few pages. */
  fill(): void;
  /** Gives back what `fill` took. */
  free(): void;
}

/** Mounts a disk that holds so much in memory, such as `256k`. */
export function mountDisk(directory: string, size: string): MountedDisk {
  run("mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", directory);
  const ballast = `${directory}/.ballast`;
  return {
    remount: (mode) => run("mount", "-o", `remount,${mode}`, directory),
    fill() {
      using file = Deno.openSync(ballast, { write: true, create: true });
      const block = new Uint8Array(BLOCK_BYTES);
      try {
        for (;;) file.writeSync(block);
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
      }
    },
    free: () => Deno.removeSync(ballast),
    [Symbol.dispose]: () => run("umount", directory),
  };
}

const BLOCK_BYTES = 16 * 1024;

function run(program: string, ...args: string[]): void {
  const { success } = new Deno.Command(program, { args, stderr: "null" }).outputSync();
  if (!success) throw new Error(`Cannot run ${program} ${args.join(" ")}`);
}
