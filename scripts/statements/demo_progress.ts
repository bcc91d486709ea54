import type { Sql } from "../../activities/database.ts";
import { textArray } from "../../activities/statements/array_literal.ts";

/** Names of generated files, those of a bulk included. */
const GENERATED = "^events-[0-9]{8}T[0-9]{6}Z-[0-9]{6,15}[.]csv$";

/** Which files of an inbox a demo has landed, told by their names. */
export interface DemoScope {
  readonly inboxId: string;
  /** Files of the ledger up to this one were there before. */
  readonly after: number;
  /** Files that lay in the inbox before. */
  readonly before: readonly string[];
  /** Names of the history. */
  readonly history: readonly string[];
  /** Live files: their generator's start, as the names have it, and their sequence, from 1 on. */
  readonly live: { readonly from: string; readonly last: number | null } | undefined;
}

/** What became of a demo's files, in one snapshot; a file that was landed twice is counted once. */
export interface DemoProgress {
  /** Known to the ledger. */
  files: number;
  /** Loaded, moved, and nothing left to do. */
  settled: number;
  loading: number;
  failed: number;
  records: number;
  loaded: number;
  /** Records that were there already, those of a file with the same bytes included. */
  duplicates: number;
  rejected: number;
  /** From the end of writing to queryable, over the newest files, once it is live over live ones; null before the first. */
  lagP50Ms: number | null;
  lagP95Ms: number | null;
  /** What others have landed since the demo began. */
  yoursLoading: number;
  yoursLoaded: number;
  yoursFailed: number;
  yoursRecords: number;
  yoursRejected: number;
}

/** Counts the files of a demo, and those that others have landed since it began. */
export async function demoProgress(sql: Sql, scope: DemoScope): Promise<DemoProgress> {
  const [row] = await sql<DemoProgress[]>`
    with ${landed(sql, scope)},
    lags as (
      select greatest(0, 1000 * extract(epoch from l.committed_at - l.landed_at))::float8 as lag_ms
      from landed l
      where l.origin = ${scope.live ? "live" : "history"}
        and l.state = 'loaded' and l.committed_at is not null
      order by l.committed_at desc
      limit 20
    ),
    counted as (
      select sum(l.records) as records, sum(l.loaded) as loaded,
             sum(l.duplicates) as duplicates, sum(l.rejected) as rejected
      from landed l
      where l.origin in ('history', 'live')
    ),
    others as (
      select count(*) filter (where not l.is_settled)                      as loading,
             count(*) filter (where l.state in ('loaded', 'duplicate'))    as loaded,
             count(*) filter (where l.state in ('failed', 'cancelled'))    as failed,
             coalesce(sum(l.records), 0)::bigint                           as records,
             coalesce(sum(l.rejected) filter (where l.state <> 'duplicate'), 0)::bigint as rejected
      from landed l
      where l.origin = 'other'
    )
    select count(*) as files,
           count(*) filter (where l.is_settled)                         as settled,
           count(*) filter (where not l.is_settled)                     as loading,
           count(*) filter (where l.state in ('failed', 'cancelled'))   as failed,
           coalesce((select c.records from counted c), 0)::bigint       as records,
           coalesce((select c.loaded from counted c), 0)::bigint        as loaded,
           coalesce((select c.duplicates from counted c), 0)::bigint    as duplicates,
           coalesce((select c.rejected from counted c), 0)::bigint      as rejected,
           (select percentile_cont(0.5) within group (order by g.lag_ms) from lags g)  as "lagP50Ms",
           (select percentile_cont(0.95) within group (order by g.lag_ms) from lags g) as "lagP95Ms",
           (select o.loading from others o)  as "yoursLoading",
           (select o.loaded from others o)   as "yoursLoaded",
           (select o.failed from others o)   as "yoursFailed",
           (select o.records from others o)  as "yoursRecords",
           (select o.rejected from others o) as "yoursRejected"
    from landed l
    where l.origin in ('history', 'live')`;
  return row!;
}

/** The names of a demo's files that the ledger knows. */
export async function demoFileNames(
  sql: Sql,
  scope: DemoScope,
): Promise<{ name: string; settled: boolean }[]> {
  return [
    ...await sql<{ name: string; settled: boolean }[]>`
      with ${landed(sql, scope)}
      select l.file_name as name, l.is_settled as settled
      from landed l
      where l.origin in ('history', 'live')
      order by l.file_name`,
  ];
}

/** The newest file of the ledger; 0 before the first. */
export async function newestFile(sql: Sql): Promise<number> {
  const [row] = await sql<{ file_id: number }[]>`
    select coalesce(max(file_id), 0)::bigint as file_id from ingest.files`;
  return row?.file_id ?? 0;
}

/**
 * Common table expression `landed`: a row for each name that came since the demo began, which is its
 * latest version, with what its committed chunks hold. A file with the same bytes as another brings
 * no record of its own: it is done when the other is, and all that was loaded there was there already.
 */
function landed(sql: Sql, { inboxId, after, before, history, live }: DemoScope) {
  return sql`named as (
      select distinct on (f.file_name)
             f.file_name, f.file_id, f.state, f.settled_at, f.committed_at, f.duplicate_of,
             coalesce(f.closed_at, f.discovered_at) as landed_at,
             case when f.file_name = any(${textArray(history)}::text[]) then 'history'
                  when f.file_name ~ ${GENERATED}
                   and substring(f.file_name from 8 for 16) collate "C"
                       >= ${live?.from ?? null}::text collate "C"
                   and substring(f.file_name from 'Z-([0-9]{6,15})[.]csv$')::bigint
                       between 1 and coalesce(${live?.last ?? null}::bigint, 999999999999999)
                  then 'live'
                  when f.file_name = any(${textArray(before)}::text[]) then 'before'
                  else 'other' end as origin
      from ingest.files f
      where f.inbox_id = ${inboxId} and f.file_id > ${after}
      order by f.file_name, f.file_id desc
    ),
    landed as (
      select n.file_name, n.file_id, n.state, n.committed_at, n.landed_at, n.origin,
             n.settled_at is not null
               and (n.duplicate_of is null or o.settled_at is not null) as is_settled,
             case when o.file_id is null then c.records    else o.records end              as records,
             case when o.file_id is null then c.loaded     else 0 end                      as loaded,
             case when o.file_id is null then c.duplicates else o.loaded + o.duplicates end as duplicates,
             case when o.file_id is null then c.rejected   else o.rejected end             as rejected
      from named n
      left join ingest.files o on o.file_id = n.duplicate_of
      left join lateral (
        select sum(k.records) as records, sum(k.loaded) as loaded,
               sum(k.duplicates) as duplicates, sum(k.rejected) as rejected
        from ingest.chunks k
        where k.file_id = n.file_id and k.committed_at is not null
      ) c on true
    )`;
}
