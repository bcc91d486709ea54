create function shop.category_performance(
  from_time timestamptz default now() - interval '7 days',
  to_time   timestamptz default now(),
  levels    integer     default null
) returns table (
    category text, currency text, views bigint, carts bigint, purchases bigint, quantity bigint, revenue numeric,
    carts_per_view numeric, purchases_per_view numeric, revenue_share numeric)
  language sql stable parallel safe
as $$
  with totals as (
    select case when levels is null then r.category
                else array_to_string((string_to_array(r.category, '.'))[1:levels], '.') end as category,
           r.currency::text as currency,
           coalesce(sum(r.events) filter (where r.event_type = 'product_view'), 0)::bigint as views,
           coalesce(sum(r.events) filter (where r.event_type = 'add_to_cart'), 0)::bigint  as carts,
           coalesce(sum(r.events) filter (where r.event_type = 'purchase'), 0)::bigint     as purchases,
           coalesce(sum(r.quantity) filter (where r.event_type = 'purchase'), 0)::bigint   as quantity,
           coalesce(sum(r.revenue) filter (where r.event_type = 'purchase'), 0)            as revenue
    from shop.minute_rollup_parts r
    where r.minute >= date_trunc('minute', from_time) and r.minute < to_time
    group by 1, 2
    having sum(r.events) <> 0
  )
  select t.category, t.currency, t.views, t.carts, t.purchases, t.quantity, t.revenue,
         round(t.carts::numeric / nullif(t.views, 0), 4),
         round(t.purchases::numeric / nullif(t.views, 0), 4),
         round(t.revenue / nullif(sum(t.revenue) over (partition by t.currency), 0), 4)
  from totals t
  order by t.revenue desc, t.views desc, t.category, t.currency
$$;
comment on function shop.category_performance(timestamptz, timestamptz, integer) is
  'Views, carts, purchases and revenue of categories, as the events name them. levels: how many levels of the name count (1: only the first; null: the whole name); revenue_share: of the same currency; from_time is cut to the minute. From the rollup by minute: quick, live to the last commit. Example: select * from shop.category_performance(levels => 1). One row per category and currency, most revenue first.';
grant execute on function shop.category_performance(timestamptz, timestamptz, integer)
  to clickledger_reader, clickledger_operator;
