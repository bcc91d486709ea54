import type { FileIdentity } from "../../domain/ingest_api.ts";

/** Columns of `ingest.files` that tell one version of a file from another. */
export interface IdentityRow {
  path: string;
  ino: number;
  size_bytes: number;
  mtime_ms: number;
  ctime_ms: number;
}

/** The version of a file that a ledger row stands for. */
export function identityOfRow(row: IdentityRow): FileIdentity {
  return {
    path: row.path,
    ino: row.ino,
    sizeBytes: row.size_bytes,
    mtimeMs: row.mtime_ms,
    ctimeMs: row.ctime_ms,
  };
}
