import { fileNameOf } from "./file_name_of.ts";
import { createHash } from "node:crypto";
import type { FileIdentity } from "./ingest_api.ts";

/** Operations that run under an id of their own on a file that the ledger knows. */
export type FileOperation = "retry" | "reopen" | "unload" | "replay";

/**
 * Id of the workflow that ingests one version of a file: readable, the same from every watcher, at most 200 characters.
 *
 * @param inboxId UUID of the inbox.
 * @param identity The version of the file.
 * @returns `ingest/<inbox>/<name, at most 120 characters, printable>/<12 hex of sha256(identity)>`
 * @example
 * ```ts
 * import { ingestWorkflowId } from "./workflow_ids.ts";
 * import assert from "node:assert/strict";
 * const identity = { path: "/in/a b.csv", ino: 1, sizeBytes: 2, mtimeMs: 3, ctimeMs: 4 };
 * assert.match(ingestWorkflowId("0e8dfd64", identity), /^ingest\/0e8dfd64\/a b\.csv\/[0-9a-f]{12}$/);
 * ```
 */
export function ingestWorkflowId(inboxId: string, identity: FileIdentity): string {
  const name = fileNameOf(identity.path);
  return `ingest/${inboxId}/${printableName(name)}/${identityHash(identity)}`;
}

/**
 * Id of a later operation on a file.
 *
 * @param operation What is done.
 * @param inboxId UUID of the inbox.
 * @param fileId Number of the file version.
 * @returns `<operation>/<inbox>/<file_id>`
 * @example
 * ```ts
 * import { operationWorkflowId } from "./workflow_ids.ts";
 * import assert from "node:assert/strict";
 * assert.equal(operationWorkflowId("retry", "0e8dfd64", 7), "retry/0e8dfd64/7");
 * ```
 */
export function operationWorkflowId(
  operation: FileOperation,
  inboxId: string,
  fileId: number,
): string {
  return `${operation}/${inboxId}/${fileId}`;
}

/**
 * A file name made safe for ids, logs and pages: control, format and right-to-left characters and slashes become `_`,
 * at most 120 characters. Distinct names may become equal; the identity's hash keeps ids apart.
 *
 * @param name Name of the file.
 * @example
 * ```ts
 * import { printableName } from "./workflow_ids.ts";
 * import assert from "node:assert/strict";
 * assert.equal(printableName("a\nb\u202ec.csv"), "a_b_c.csv");
 * ```
 */
export function printableName(name: string): string {
  const printable = name.replace(/[\p{C}\p{Zl}\p{Zp}/\\]/gu, "_");
  return Array.from(printable).slice(0, 120).join("");
}

function identityHash({ path, ino, sizeBytes, mtimeMs, ctimeMs }: FileIdentity): string {
  return createHash("sha256")
    .update(JSON.stringify([path, ino, sizeBytes, mtimeMs, ctimeMs]))
    .digest("hex").slice(0, 12);
}
