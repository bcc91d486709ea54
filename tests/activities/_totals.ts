import type { Warehouse } from "./_warehouse.ts";

/** What a warehouse holds. */
export interface Totals {
  events: number;
  keys: number;
  /** Events as the rollup counts them. */
  rolledUp: number;
  /** Chunks that are planned and not committed. */
  openChunks: number;
}

/** Counts what a warehouse holds. */
export async function totals({ admin }: Pick<Warehouse, "admin">): Promise<Totals> {
  const [row] = await admin<Totals[]>`
    select (select count(*)::int from shop.events) as events,
           (select count(*)::int from ingest.event_keys) as keys,
           (select coalesce(sum(events), 0)::int from shop.minute_rollup) as "rolledUp",
           (select count(*)::int from ingest.chunks where committed_at is null) as "openChunks"`;
  return { ...row } as Totals;
}

/** Deadlocks of this database from now on. */
export async function deadlocksSince(
  { admin }: Pick<Warehouse, "admin">,
): Promise<() => Promise<number>> {
  const read = async () => {
    await admin`select pg_stat_force_next_flush()`;
    const [row] = await admin<{ deadlocks: number }[]>`
      select deadlocks::int as deadlocks from pg_stat_database where datname = current_database()`;
    return row?.deadlocks ?? 0;
  };
  const before = await read();
  return async () => await read() - before;
}
