import { readSigns, type Sign } from "../../domain/discovery.ts";
import type { Outages } from "./_outages.ts";

/** Time after which a directory that cannot be watched is tried again; meanwhile listings find everything. */
const RETRY_MS = 1_000;

/**
 * Follows the events of a directory, also of one that takes its place, until it is told to stop.
 *
 * @param directory Absolute path.
 * @param onSign Is told what an event means.
 * @param onWatching Is told each time the watch begins: what happened before is for a listing to find.
 * @param signal Ends it.
 */
export async function followEvents(
  directory: string,
  { onSign, onWatching, outages, signal }: {
    onSign: (sign: Sign) => void;
    onWatching: () => void;
    outages: Outages;
    signal: AbortSignal;
  },
): Promise<void> {
  const service = `events of ${directory}`;
  while (!signal.aborted) {
    try {
      using watcher = Deno.watchFs(directory, { recursive: false });
      const close = () => watcher.close();
      signal.addEventListener("abort", close, { once: true });
      outages.over(service);
      onWatching();
      await readEvents(watcher, directory, onSign);
      signal.removeEventListener("abort", close);
    } catch (error) {
      if (!signal.aborted) outages.begin(service, error);
    }
    await pause(RETRY_MS, signal);
  }
}

/** Returns when the directory itself went away. */
async function readEvents(
  watcher: Deno.FsWatcher,
  directory: string,
  onSign: (sign: Sign) => void,
): Promise<void> {
  for await (const { kind, paths, flag } of watcher) {
    for (const sign of readSigns({ kind, paths, flag: flag ?? undefined }, directory)) {
      if (sign.sign === "directory_gone") return;
      onSign(sign);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    resolve();
  }, { once: true });
  return promise;
}
