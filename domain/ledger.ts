/**
 * The words of this project, and the rules of the ledger as plain functions.
 *
 * - **event**: one user action, a row of the contract.
 * - **feed**: a named kind of file under one contract.
 * - **inbox, archive, failed**: where files land, and go once settled, or when the file as a whole cannot be loaded.
 * - **record**: one CSV record, may span lines; its line number is that of its first physical line, header = 1.
 * - **chunk**: a byte range of one file, cut at record borders, committed in one transaction.
 * - **ledger**: the schema `ingest`: what was seen, planned, committed, rejected.
 * - **reject**: a record that broke the contract, kept with its bytes, line and faults.
 * - **epoch**: a file's claim counter, the fencing token; a transaction of another epoch is refused.
 * - **horizon**: the time before which a feed's events have been dropped by retention.
 *
 * @module
 */

/** States of a file in the ledger. `ingest.files.state` allows exactly these. */
export const FILE_STATES = [
  "loading",
  "loaded",
  "failed",
  "duplicate",
  "cancelled",
  "unloading",
  "unloaded",
] as const;

/** One of {@linkcode FILE_STATES}. */
export type FileState = typeof FILE_STATES[number];

/** What an unload ends in. `ingest.files.unload_to` allows exactly these. */
export const UNLOAD_TARGETS = ["unloaded", "failed", "cancelled"] as const;

/** One of {@linkcode UNLOAD_TARGETS}. */
export type UnloadTarget = typeof UNLOAD_TARGETS[number];

/** Records of a file or chunk by what became of them; records = loaded + duplicates + rejected (I1). */
export interface Counts {
  records: number;
  loaded: number;
  duplicates: number;
  rejected: number;
}

/** What a claim has to do with a file whose row it found. */
export type ClaimStep = "inspect" | "unload" | "settle" | "done";

/**
 * Decides how a worker goes on with a file that the ledger knows already.
 *
 * @param file.state State in the ledger.
 * @param file.settled Whether the file was moved and nothing remains to do.
 * @example
 * ```ts
 * import { decideClaim } from "./ledger.ts";
 * import assert from "node:assert/strict";
 * assert.equal(decideClaim({ state: "loaded", settled: false }), "settle");
 * ```
 */
export function decideClaim({ state, settled }: { state: FileState; settled: boolean }): ClaimStep {
  if (state === "loading") return "inspect";
  if (state === "unloading") return "unload";
  return settled ? "done" : "settle";
}

/**
 * Tells whether a person may still cancel a file: only what is not complete. A loaded file is unloaded instead.
 *
 * @param state State in the ledger.
 * @example
 * ```ts
 * import { mayCancel } from "./ledger.ts";
 * import assert from "node:assert/strict";
 * assert.equal(mayCancel("loading"), true);
 * assert.equal(mayCancel("loaded"), false);
 * ```
 */
export function mayCancel(state: FileState): boolean {
  return state === "loading";
}

/**
 * Tells whether the bytes of a file in this state belong in the folder for failed files.
 *
 * @param state State in the ledger.
 * @example
 * ```ts
 * import { settlesToFailed } from "./ledger.ts";
 * import assert from "node:assert/strict";
 * assert.equal(settlesToFailed("cancelled"), true);
 * assert.equal(settlesToFailed("duplicate"), false);
 * ```
 */
export function settlesToFailed(state: FileState): boolean {
  return state === "failed" || state === "cancelled";
}

/**
 * Name under which a settled file is kept: `<stem>.<file_id><ext>`, so that two versions never collide.
 *
 * @param fileName Name under which the file landed.
 * @param fileId Number of the file version.
 * @example
 * ```ts
 * import { archiveName } from "./ledger.ts";
 * import assert from "node:assert/strict";
 * assert.equal(archiveName("events.csv.gz", 7), "events.7.csv.gz");
 * assert.equal(archiveName("no extension", 7), "no extension.7");
 * ```
 */
export function archiveName(fileName: string, fileId: number): string {
  return numberedName(fileName, `.${fileId}`);
}

/**
 * Name under which a version is given back to the inbox when its own is taken again: `<stem>~<file_id><ext>`.
 *
 * @param fileName Name under which the file landed.
 * @param fileId Number of the file version.
 * @example
 * ```ts
 * import { givenBackName } from "./ledger.ts";
 * import assert from "node:assert/strict";
 * assert.equal(givenBackName("events.csv.gz", 7), "events~7.csv.gz");
 * ```
 */
export function givenBackName(fileName: string, fileId: number): string {
  return numberedName(fileName, `~${fileId}`);
}

/** File systems allow 255 bytes; 6 are left for `.part` and a dot while a file is copied to another device. */
const MAX_NAME_BYTES = 249;

function numberedName(fileName: string, number: string): string {
  const extension = fileName.match(/\.(csv|tsv|txt)(\.(gz|zst))?$/i)?.[0] ?? "";
  const stem = Array.from(fileName.slice(0, fileName.length - extension.length));
  const encoder = new TextEncoder();
  for (;;) {
    const name = `${stem.join("")}${number}${extension}`;
    if (encoder.encode(name).length <= MAX_NAME_BYTES) return name;
    stem.pop();
  }
}

/**
 * Tells whether a directory entry's name asks to be ingested: `.csv`, `.tsv`, `.txt`, each also with `.gz` or `.zst`;
 * hidden, `_`-prefixed and unfinished names (`.part`, `.tmp`) are left alone.
 *
 * @param fileName Name of the entry, without directories.
 * @example
 * ```ts
 * import { isAcceptedName } from "./ledger.ts";
 * import assert from "node:assert/strict";
 * assert.equal(isAcceptedName("events.csv"), true);
 * assert.equal(isAcceptedName(".events.csv"), false);
 * assert.equal(isAcceptedName("events.csv.part"), false);
 * ```
 */
export function isAcceptedName(fileName: string): boolean {
  return !/^[._]/.test(fileName) && /\.(csv|tsv|txt)(\.(gz|zst))?$/i.test(fileName);
}
