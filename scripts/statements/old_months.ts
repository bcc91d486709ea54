import postgres from "postgres";
import type { Sql } from "../../activities/database.ts";
import { TaskError } from "../cli/failures.ts";

/** A partition of `shop.events` that ends at or before some date. */
export interface OldMonth {
  partition: string;
  events: number;
  bytes: number;
}

/**
 * Partitions that {@linkcode dropEventsBefore} would drop, oldest first.
 *
 * @param month First of a month, `YYYY-MM-DD`.
 */
export async function listOldMonths(sql: Sql, month: string): Promise<OldMonth[]> {
  const partitions = await sql<{ name: string; bytes: number }[]>`
    select c.oid::regclass::text as name, pg_total_relation_size(c.oid) as bytes
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'shop.events'::regclass
      and (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''([^'']+)''\\)'))[1]::timestamptz
          <= ${month}::date::timestamp at time zone 'UTC'
    order by c.relname`;
  const months: OldMonth[] = [];
  for (const { name, bytes } of partitions) {
    const [row] = await sql<{ events: number }[]>`select count(*) as events from ${sql(name)}`;
    months.push({ partition: name, events: row?.events ?? 0, bytes });
  }
  return months;
}

/**
 * Drops all months before one.
 *
 * @param sql As owner.
 * @param month First of a month, `YYYY-MM-DD`.
 * @throws {TaskError} what stands in the way: a file that is not settled, a query that holds them
 */
export async function dropEventsBefore(sql: Sql, month: string): Promise<void> {
  await sql`call shop.drop_events_before(${month}::date)`.catch((error) => {
    const isOurs = error instanceof postgres.PostgresError && error.message.startsWith("Cannot ");
    throw isOurs ? new TaskError(error.message) : error;
  });
}
