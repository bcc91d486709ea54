import type { Sql } from "../../activities/database.ts";

/** What became of the generated files of an inbox, in one snapshot. */
export interface DemoProgress {
  /** Known to the ledger. */
  files: number;
  /** Loaded, moved, and nothing left to do. */
  settled: number;
  loading: number;
  failed: number;
  records: number;
  loaded: number;
  duplicates: number;
  rejected: number;
  /** From the end of writing to queryable, over the newest files; null before the first. */
  lagP50Ms: number | null;
  lagP95Ms: number | null;
}

/**
 * Counts the files that a generator has landed.
 *
 * @param options.since no file that was discovered earlier counts
 * @param options.pattern of their names, a regular expression
 */
export async function demoProgress(
  sql: Sql,
  { inboxId, since, pattern }: { inboxId: string; since: Date; pattern: string },
): Promise<DemoProgress> {
  const [row] = await sql<DemoProgress[]>`
    with landed as (
      select f.file_id, f.state, f.settled_at, f.committed_at,
             coalesce(f.closed_at, f.discovered_at) as landed_at
      from ingest.files f
      where f.inbox_id = ${inboxId} and f.discovered_at >= ${since} and f.file_name ~ ${pattern}
    ),
    lags as (
      select greatest(0, 1000 * extract(epoch from l.committed_at - l.landed_at))::float8 as lag_ms
      from landed l
      where l.state = 'loaded' and l.committed_at is not null
      order by l.committed_at desc
      limit 20
    ),
    counted as (
      select sum(c.records) as records, sum(c.loaded) as loaded,
             sum(c.duplicates) as duplicates, sum(c.rejected) as rejected
      from landed l
      join ingest.chunks c using (file_id)
      where c.committed_at is not null
    )
    select count(*) as files,
           count(*) filter (where l.settled_at is not null) as settled,
           count(*) filter (where l.settled_at is null) as loading,
           count(*) filter (where l.state in ('failed', 'cancelled')) as failed,
           coalesce((select c.records from counted c), 0)::bigint    as records,
           coalesce((select c.loaded from counted c), 0)::bigint     as loaded,
           coalesce((select c.duplicates from counted c), 0)::bigint as duplicates,
           coalesce((select c.rejected from counted c), 0)::bigint   as rejected,
           (select percentile_cont(0.5) within group (order by g.lag_ms) from lags g)  as "lagP50Ms",
           (select percentile_cont(0.95) within group (order by g.lag_ms) from lags g) as "lagP95Ms"
    from landed l`;
  return row!;
}

/** Rows that files of an inbox have brought so far, whenever that was. */
export async function loadedRows(sql: Sql, inboxId: string): Promise<number> {
  const [row] = await sql<{ rows: number }[]>`
    select coalesce(sum(loaded), 0)::bigint as rows
    from ingest.files where inbox_id = ${inboxId} and state = 'loaded'`;
  return row?.rows ?? 0;
}
