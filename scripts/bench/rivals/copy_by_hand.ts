import { SHOP_EVENTS } from "../../../domain/shop_events.ts";
import type { StageDatabase } from "../stage.ts";
import { copyCommand, NAMES } from "./copy_command.ts";
import { runPsql } from "./psql.ts";

const TYPED_NAMES = SHOP_EVENTS.columns.map(({ name, postgresType }) => `${name} ${postgresType}`)
  .join(", ");

/**
 * Rival A: what somebody careful writes by hand for the same guarantees, into the same tables. `\copy` into a staging table
 * whose types are the validation, then one transaction: keys, the events whose keys were new, rollups, products.
 *
 * In doubt it is favoured: the staging table is unlogged, sorts and joins have memory, rollups go straight into their base
 * tables, nothing is hashed, planned or archived, and the first bad record ends it.
 *
 * @param database Prepared; the months of the events have partitions.
 * @returns Seconds.
 */
export async function copyByHand({ url }: StageDatabase, path: string): Promise<number> {
  return await runPsql(
    url,
    `${copyIntoStaging(path)} begin; ${INSERT_FRESH} drop table staging; commit;`,
  );
}

function copyIntoStaging(path: string): string {
  return `
    set work_mem = '256MB';
    create unlogged table staging (line_number integer generated always as identity (start 2), ${TYPED_NAMES});
    ${copyCommand("staging", path)}
    `;
}

const INSERT_FRESH = `
  with fresh as (
    insert into ingest.event_keys (event_id, event_time, file_id, content_hash, line_number)
    select event_id, event_time, 1, hash_record_extended(row(${NAMES}), 0), line_number
    from staging
    order by event_id
    on conflict do nothing
    returning line_number
  ),
  inserted as (
    insert into shop.events (file_id, line_number, ${NAMES})
    select 1, line_number, ${NAMES}
    from staging join fresh using (line_number)
    returning event_time, event_type, product_id, category, device, currency, quantity, price
  ),
  minutes as (
    insert into shop.minute_rollup_base as known
      (minute, event_type, category, device, currency, events, quantity, revenue)
    select date_trunc('minute', event_time, 'UTC'), event_type, category, device, currency,
           count(*), sum(quantity), sum(price * quantity)
    from inserted
    group by 1, 2, 3, 4, 5
    on conflict (minute, event_type, category, device, currency) do update
      set events = known.events + excluded.events, quantity = known.quantity + excluded.quantity,
          revenue = known.revenue + excluded.revenue
  )
  insert into shop.product_rollup_base as known
    (hour, product_id, currency, views, carts, removals, purchases, quantity, revenue)
  select date_trunc('hour', event_time, 'UTC'), product_id, currency,
         count(*) filter (where event_type = 'product_view'),
         count(*) filter (where event_type = 'add_to_cart'),
         count(*) filter (where event_type = 'remove_from_cart'),
         count(*) filter (where event_type = 'purchase'),
         coalesce(sum(quantity) filter (where event_type = 'purchase'), 0),
         coalesce(sum(price * quantity) filter (where event_type = 'purchase'), 0)
  from inserted
  group by 1, 2, 3
  on conflict (hour, product_id, currency) do update
    set views = known.views + excluded.views, carts = known.carts + excluded.carts,
        removals = known.removals + excluded.removals, purchases = known.purchases + excluded.purchases,
        quantity = known.quantity + excluded.quantity, revenue = known.revenue + excluded.revenue;

  insert into shop.products as known (product_id, product_name, category, brand, seen_at)
  select distinct on (product_id) product_id, product_name, category, brand, event_time
  from staging
  order by product_id, event_time desc
  on conflict (product_id) do update
    set product_name = excluded.product_name, category = excluded.category, brand = excluded.brand,
        seen_at = excluded.seen_at
    where excluded.seen_at > known.seen_at
      and (known.product_name, known.category, known.brand) is distinct from
          (excluded.product_name, excluded.category, excluded.brand);
  `;
