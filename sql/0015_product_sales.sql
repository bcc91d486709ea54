create function shop.product_sales(
  from_time timestamptz default date_trunc('hour', now() - interval '23 hours'),
  to_time   timestamptz default now()
) returns table (
    product_id text, currency text, views bigint, carts bigint, removals bigint, purchases bigint,
    quantity bigint, revenue numeric)
  language sql stable parallel safe
as $$
  with whole as (
    select date_trunc('hour', from_time + interval '1 hour' - interval '1 microsecond', 'UTC') as first_hour,
           date_trunc('hour', to_time + case when to_time >= now() then interval '1 hour' else interval '0' end, 'UTC')
             as end_hour
  ),
  parts as (
    select r.product_id, r.currency::text as currency, r.views, r.carts, r.removals, r.purchases, r.quantity, r.revenue
    from shop.product_rollup_parts r
    where r.hour >= (select w.first_hour from whole w) and r.hour < (select w.end_hour from whole w)
    union all
    select e.product_id, e.currency::text,
           count(*) filter (where e.event_type = 'product_view'),
           count(*) filter (where e.event_type = 'add_to_cart'),
           count(*) filter (where e.event_type = 'remove_from_cart'),
           count(*) filter (where e.event_type = 'purchase'),
           coalesce(sum(e.quantity) filter (where e.event_type = 'purchase'), 0),
           coalesce(sum(e.price * e.quantity) filter (where e.event_type = 'purchase'), 0)
    from shop.events e
    where e.event_time >= from_time and e.event_time < least(to_time, (select w.first_hour from whole w))
      and (select from_time < w.first_hour from whole w)
    group by 1, 2
    union all
    select e.product_id, e.currency::text,
           count(*) filter (where e.event_type = 'product_view'),
           count(*) filter (where e.event_type = 'add_to_cart'),
           count(*) filter (where e.event_type = 'remove_from_cart'),
           count(*) filter (where e.event_type = 'purchase'),
           coalesce(sum(e.quantity) filter (where e.event_type = 'purchase'), 0),
           coalesce(sum(e.price * e.quantity) filter (where e.event_type = 'purchase'), 0)
    from shop.events e
    where e.event_time >= greatest(from_time, (select w.end_hour from whole w)) and e.event_time < to_time
      and (select w.first_hour <= w.end_hour from whole w)
    group by 1, 2
  )
  select p.product_id, p.currency, sum(p.views)::bigint, sum(p.carts)::bigint, sum(p.removals)::bigint,
         sum(p.purchases)::bigint, sum(p.quantity)::bigint, sum(p.revenue)
  from parts p
  group by p.product_id, p.currency
  having sum(p.views) <> 0 or sum(p.carts) <> 0 or sum(p.removals) <> 0 or sum(p.purchases) <> 0
$$;
comment on function shop.product_sales(timestamptz, timestamptz) is
  'What happened to each product in exactly [from_time, to_time): whole hours from the rollup, the cut hours at both ends (also those of time zones off the whole hour) from the events. The other functions about products build on it. Where to_time is now or later, all of the hour under way counts. Live to the last commit. Example: select * from shop.product_sales(now() - interval ''1 hour'') order by revenue desc. One row per product and currency.';
grant execute on function shop.product_sales(timestamptz, timestamptz)
  to clickledger_reader, clickledger_operator;
