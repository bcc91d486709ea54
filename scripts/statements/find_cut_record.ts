import type { Sql } from "../../activities/database.ts";

/** The version that a file would supersede, whose last record has no line end. */
export interface CutPredecessor {
  sizeBytes: number;
  sha256: string;
  /** Of its last record, unless another file has the event as well; null when that is no event. */
  eventId: string | null;
}

/**
 * Finds what a load would take out of an older version before it loads one that grew from it.
 *
 * @param file Name under which the newer version lands, and its size.
 */
export async function findCutRecord(
  sql: Sql,
  { inboxId, name, sizeBytes }: { inboxId: string; name: string; sizeBytes: number },
): Promise<CutPredecessor | undefined> {
  const [older] = await sql<(CutPredecessor & { isCut: boolean })[]>`
    select o.size_bytes as "sizeBytes", o.sha256,
           o.state = 'loaded' and not o.ends_with_newline and o.size_bytes < ${sizeBytes} as "isCut",
           (select k.event_id from ingest.event_keys k
            where k.file_id = o.file_id
              and k.line_number = (select max(x.line_number) from ingest.event_keys x where x.file_id = o.file_id)
              and not exists (select from ingest.duplicates d join ingest.files f on f.file_id = d.file_id
                              where d.event_id = k.event_id and f.state in ('loading', 'loaded'))
              and not exists (select from ingest.duplicates d
                              where d.file_id = o.file_id and d.line_number > k.line_number)
              and not exists (select from ingest.rejects r
                              where r.file_id = o.file_id and r.line_number > k.line_number
                                and r.state in ('open', 'waived'))) as "eventId"
    from ingest.files o
    where o.inbox_id = ${inboxId} and o.file_name = ${name} and o.state in ('loaded', 'unloading')
    order by o.file_id desc
    limit 1`;
  return older?.isCut ? older : undefined;
}
