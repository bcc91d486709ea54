import type { Sql } from "../../activities/database.ts";
import type { FileState } from "../../domain/ledger.ts";

/** An older version of a file that keeps the newer one from being all that counts. */
export interface OlderVersion {
  fileId: number;
  state: FileState;
}

/** Whether a file landed under a name that another one had before. */
export async function hasOlderVersion(sql: Sql, fileId: number): Promise<boolean> {
  const rows = await sql`
    select from ingest.files f
    where f.file_id = ${fileId}
      and (f.supersedes is not null
           or exists (select from ingest.files o
                      where o.inbox_id = f.inbox_id and o.file_name = f.file_name
                        and o.file_id < f.file_id and o.state in ('loading', 'loaded', 'unloading')))`;
  return rows.length > 0;
}

/**
 * The newest of the versions that a file replaces and that are still there: the one before it, and those before that one
 * that hold an event which the file has with other content. What is older and holds none may be of another day.
 *
 * @param sql Pool of the ingest role.
 * @param fileId The file, loaded.
 * @returns undefined when there is none (any more)
 */
export async function versionInTheWay(sql: Sql, fileId: number): Promise<OlderVersion | undefined> {
  const [version] = await sql<OlderVersion[]>`
    with older as (
      select o.file_id, o.state, o.replaced_by, o.file_id = f.retry_of as is_same, f.supersedes
      from ingest.files f
      join ingest.files o on o.inbox_id = f.inbox_id and o.file_name = f.file_name
       and o.file_id < f.file_id and o.state in ('loading', 'loaded', 'unloading')
      where f.file_id = ${fileId}
    )
    select o.file_id as "fileId", o.state
    from older o
    where (o.file_id = (select greatest(max(b.supersedes),
                                        max(b.file_id) filter (where b.is_same is not true))
                        from older b)
           -- Once: the version before the one before is another one's.
           and not exists (select from ingest.files d where d.replaced_by = ${fileId}))
       or (o.state = 'unloading' and o.replaced_by = ${fileId})
       or exists (select from ingest.rejects r join ingest.event_keys k on k.event_id = r.event_id
                  where r.file_id = ${fileId} and r.state = 'open' and k.file_id = o.file_id
                    and r.faults @> '[{"code": "conflicting_event"}]')
    order by o.file_id desc
    limit 1`;
  return version;
}

/** Records of a file that another one contradicts. */
export interface Contradiction {
  /** The file that holds their events; null when nobody does, and their bytes could not be read again. */
  fileId: number | null;
  fileName: string | null;
  records: number;
}

/** Which files contradict open rejects of one; not that one itself. */
export async function contradictionsOf(sql: Sql, fileId: number): Promise<Contradiction[]> {
  return [
    ...await sql<Contradiction[]>`
      select k.file_id as "fileId", o.file_name as "fileName", count(*) as records
      from ingest.rejects r
      left join ingest.event_keys k on k.event_id = r.event_id
      left join ingest.files o on o.file_id = k.file_id
      where r.file_id = ${fileId} and r.state = 'open'
        and r.faults @> '[{"code": "conflicting_event"}]' and k.file_id is distinct from r.file_id
      group by 1, 2
      order by 1`,
  ];
}
