import type { Sql } from "../../activities/database.ts";
import type { Fault } from "../../domain/faults.ts";

/** A reject with the bytes of its record. */
export interface ShownReject {
  line: number;
  faults: Fault[];
  raw: Uint8Array;
  /** Whether `raw` holds only the beginning. */
  isCut: boolean;
}

/** The first rejects of a file, by line; the role must be one that may see raw bytes. */
export async function showRejects(
  sql: Sql,
  { fileId, limit }: { fileId: number; limit: number },
): Promise<ShownReject[]> {
  return [
    ...await sql<ShownReject[]>`
    select line_number as line, faults, raw, raw_truncated as "isCut"
    from ingest.rejects
    where file_id = ${fileId} and state <> 'withdrawn'
    order by line_number
    limit ${limit}`,
  ];
}
