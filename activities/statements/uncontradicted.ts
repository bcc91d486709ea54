import type { Sql } from "../database.ts";

/**
 * Condition on open rejects `r`: they were in conflict, and no record holds their event with other content any more. One
 * that was rejected before conflicts were noted is to be looked at as well.
 *
 * @param sql Pool of any role that reads rejects.
 */
export function isUncontradicted(sql: Sql) {
  return sql`
    r.faults @> '[{"code": "conflicting_event"}]'
    and not exists (select from ingest.event_keys k
                    where k.event_id = r.event_id and k.content_hash <> r.content_hash)`;
}

/**
 * The loaded files with records in conflict that nothing contradicts any more: first the one that room was made for, then
 * the newest, since what came last corrects what came before.
 *
 * @param sql Pool of the ingest role.
 * @param fileId The file whose records were taken out.
 */
export async function uncontradictedFiles(sql: Sql, fileId: number): Promise<number[]> {
  const rows = await sql<{ file_id: number }[]>`
    select f.file_id
    from ingest.files o
    join ingest.files f on f.feed = o.feed and f.state = 'loaded'
    where o.file_id = ${fileId}
      and f.file_id in (select r.file_id from ingest.rejects r
                        where r.state = 'open' and ${isUncontradicted(sql)})
    order by f.file_id is not distinct from o.replaced_by desc, f.file_id desc`;
  return rows.map(({ file_id }) => file_id);
}
