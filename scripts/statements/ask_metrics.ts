import type { Sql } from "../../activities/database.ts";

/** The ledger in numbers. */
export interface LedgerMetrics {
  states: { state: string; files: number }[];
  paused: number;
  rows: { loaded: number; duplicate: number; rejected: number };
  rejects: { code: string; records: number }[];
  /** About, as the statistics know it. */
  deltas: number;
  deadlocks: number;
  sessions: { state: string; sessions: number }[];
}

/** Asks what the metrics show of the database; small tables and statistics only. */
export async function askMetrics(sql: Sql): Promise<LedgerMetrics> {
  const [states, rejects, database, sessions] = await Promise.all([
    sql<(LedgerMetrics["rows"] & { state: string; files: number; paused: number })[]>`
      select f.state, count(*) as files, count(f.paused_at) as paused,
             coalesce(sum(f.loaded), 0)::bigint as loaded, coalesce(sum(f.duplicates), 0)::bigint as duplicate,
             coalesce(sum(f.rejected), 0)::bigint as rejected
      from ingest.files f
      group by f.state`,
    sql<LedgerMetrics["rejects"]>`
      select x.fault ->> 'code' as code, count(*) as records
      from ingest.rejects r, jsonb_array_elements(r.faults) as x (fault)
      where r.state = 'open'
      group by 1`,
    sql<{ deadlocks: number; deltas: number }[]>`
      select d.deadlocks,
             (select coalesce(sum(t.n_live_tup), 0)::bigint from pg_stat_user_tables t
              where t.schemaname = 'shop' and t.relname in ('minute_rollup_delta', 'product_rollup_delta')) as deltas
      from pg_stat_database d where d.datname = current_database()`,
    sql<LedgerMetrics["sessions"]>`
      select coalesce(a.state, 'unknown') as state, count(*) as sessions
      from pg_stat_activity a
      where a.datname = current_database() and a.application_name like 'clickledger%'
      group by 1`,
  ]);
  const sum = (key: "paused" | keyof LedgerMetrics["rows"]) =>
    states.reduce((total, row) => total + row[key], 0);
  return {
    states: states.map(({ state, files }) => ({ state, files })),
    paused: sum("paused"),
    rows: { loaded: sum("loaded"), duplicate: sum("duplicate"), rejected: sum("rejected") },
    rejects: [...rejects],
    deltas: database[0]?.deltas ?? 0,
    deadlocks: database[0]?.deadlocks ?? 0,
    sessions: [...sessions],
  };
}
