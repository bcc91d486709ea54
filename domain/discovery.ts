import { fileNameOf } from "./file_name_of.ts";
import {
  type FileIdentity,
  type IngestFileInput,
  type IngestSettings,
  SHORT_WAY_MAX_BYTES,
} from "./ingest_api.ts";

/** What an event of the inbox means for discovery. */
export type Sign =
  /** A file was renamed onto this name: its writer is done with it. */
  | { sign: "landed"; name: string }
  /** Something about this name changed, or it was closed: somebody may still be writing. */
  | { sign: "touched"; name: string }
  /** Events were lost. */
  | { sign: "rescan" }
  /** The directory itself went away; whatever takes its place has to be watched anew. */
  | { sign: "directory_gone" };

/**
 * Reads an event of `Deno.watchFs`. Seen on Linux: a rename into the directory is one `rename` with the final path; a
 * rename within it is `remove`, `rename` with the new path, and `rename` with both; writing in place gives `create`,
 * `modify` and, on each close, `access`; a hard link `create`; a symlink nothing. Other systems send more than that, so
 * an event is only a hint.
 *
 * @param event Kind, flag and paths as they came.
 * @param directory The watched directory.
 *
 * @example
 * ```ts
 * import { readSigns } from "./discovery.ts";
 * import assert from "node:assert/strict";
 * assert.deepEqual(
 *   readSigns({ kind: "rename", paths: ["/in/.a.tmp", "/in/a.csv"] }, "/in"),
 *   [{ sign: "landed", name: "a.csv" }],
 * );
 * assert.deepEqual(
 *   readSigns({ kind: "access", paths: ["/in/a.csv"] }, "/in"),
 *   [{ sign: "touched", name: "a.csv" }],
 * );
 * ```
 */
export function readSigns(
  { kind, paths, flag }: { kind: string; paths: readonly string[]; flag?: string | undefined },
  directory: string,
): Sign[] {
  if (flag === "rescan") return [{ sign: "rescan" }];
  if (kind === "remove") {
    return paths.includes(directory) ? [{ sign: "directory_gone" }] : [];
  }
  if (kind === "rename") {
    const path = paths.at(-1);
    return path === undefined ? [] : [{ sign: "landed", name: fileNameOf(path) }];
  }
  return paths.filter((path) => path !== directory)
    .map((path) => ({ sign: "touched", name: fileNameOf(path) }));
}

/**
 * Makes the input of a file's workflow from what the watcher saw.
 *
 * `closedAt` is the file's change time, which moves with the last write, a link or a rename and which nobody can set:
 * unlike the modification time, it tells when a copy with preserved times has landed. A change time after the discovery
 * (the clock of another machine) counts as the discovery.
 *
 * @param file.identity What was found at the path.
 * @param file.discoveredAt Epoch milliseconds, when the file was taken for ready.
 *
 * @example
 * ```ts
 * import { discoveredInput } from "./discovery.ts";
 * import assert from "node:assert/strict";
 * const { closedAt, shortWay } = discoveredInput({
 *   feed: "shop_events",
 *   inboxId: "0e8dfd64",
 *   identity: { path: "/in/a.csv", ino: 1, sizeBytes: 2, mtimeMs: 0, ctimeMs: 9_000 },
 *   discoveredAt: 1_000,
 *   settings: { heartbeatTimeoutMs: 1, chunksPerSpan: 1, maxRetryIntervalMs: 1, searchAttributes: true },
 * });
 * assert.equal(closedAt, "1970-01-01T00:00:01.000Z");
 * assert.equal(shortWay, true);
 * ```
 */
export function discoveredInput({ feed, inboxId, identity, discoveredAt, settings }: {
  feed: string;
  inboxId: string;
  identity: FileIdentity;
  discoveredAt: number;
  settings: IngestSettings;
}): IngestFileInput {
  // Deno 2.9 gives change times in whole seconds; within that second the modification time is closer.
  const changedAt = Math.max(identity.ctimeMs, identity.mtimeMs);
  return {
    feed,
    inboxId,
    identity,
    discoveredAt: new Date(discoveredAt).toISOString(),
    closedAt: new Date(Math.max(0, Math.min(changedAt, discoveredAt))).toISOString(),
    shortWay: takesShortWay(identity),
    settings,
  };
}

/**
 * Tells whether a file is inspected, loaded and settled in one activity: it is one chunk and not compressed.
 *
 * @param identity The version of the file.
 *
 * @example
 * ```ts
 * import { takesShortWay } from "./discovery.ts";
 * import assert from "node:assert/strict";
 * assert.equal(takesShortWay({ path: "/in/a.csv", sizeBytes: 4 * 1024 * 1024 }), true);
 * assert.equal(takesShortWay({ path: "/in/a.csv.gz", sizeBytes: 100 }), false);
 * ```
 */
export function takesShortWay(
  { path, sizeBytes }: Pick<FileIdentity, "path" | "sizeBytes">,
): boolean {
  return sizeBytes <= SHORT_WAY_MAX_BYTES && !/\.(gz|zst)$/i.test(path);
}
