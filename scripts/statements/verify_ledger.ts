import type { Sql } from "../../activities/database.ts";

/** One violation of an invariant. */
export interface Violation {
  invariant: string;
  file_id: number | null;
  violation: string;
}

/** What was looked at, and what was found. */
export interface Verification {
  violations: Violation[];
  /** Loaded files, or 1 when one was asked for. */
  files: number;
  /** Rows of these files in `shop.events`. */
  events: number;
}

/**
 * Runs the proof and stores its outcome in `ingest.verifications`.
 *
 * @param fileId Only this file; by default all, and the rollups.
 */
export async function verifyLedger(sql: Sql, fileId: number | null = null): Promise<Verification> {
  const violations = await sql<Violation[]>`
    select v.invariant, v.file_id, v.violation
    from ingest.record_verification(${fileId}::bigint) v
    order by v.invariant, v.file_id`;
  const [counts] = await sql<{ files: number; events: number }[]>`
    select (select count(*) from ingest.files f
            where f.state = 'loaded' and (${fileId}::bigint is null or f.file_id = ${fileId})) as files,
           (select count(*) from shop.events e
            where ${fileId}::bigint is null or e.file_id = ${fileId}) as events`;
  return { violations: [...violations], files: counts?.files ?? 0, events: counts?.events ?? 0 };
}
