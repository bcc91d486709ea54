create function shop.event_funnel(
  from_time timestamptz      default now() - interval '24 hours',
  to_time   timestamptz      default now(),
  split_by  shop.event_split default 'all'
) returns table (
    value text, views bigint, carts bigint, removals bigint, purchases bigint,
    carts_per_view numeric, purchases_per_cart numeric, purchases_per_view numeric)
  language sql stable parallel safe
as $$
  select t.value, t.views, t.carts, t.removals, t.purchases,
         round(t.carts::numeric / nullif(t.views, 0), 4),
         round(t.purchases::numeric / nullif(t.carts, 0), 4),
         round(t.purchases::numeric / nullif(t.views, 0), 4)
  from (
    select case split_by when 'category' then r.category when 'device' then r.device else 'all' end as value,
           coalesce(sum(r.events) filter (where r.event_type = 'product_view'), 0)::bigint     as views,
           coalesce(sum(r.events) filter (where r.event_type = 'add_to_cart'), 0)::bigint      as carts,
           coalesce(sum(r.events) filter (where r.event_type = 'remove_from_cart'), 0)::bigint as removals,
           coalesce(sum(r.events) filter (where r.event_type = 'purchase'), 0)::bigint         as purchases
    from shop.minute_rollup_parts r
    where r.minute >= date_trunc('minute', from_time) and r.minute < to_time
    group by 1
    having sum(r.events) <> 0
  ) t
  order by t.views desc, t.value
$$;
comment on function shop.event_funnel(timestamptz, timestamptz, shop.event_split) is
  'Totals of events by type, not of sessions: somebody who views ten products counts ten times (shop.session_funnel() counts sessions). split_by: all, category or device; ratios are null where nothing stands below the line; from_time is cut to the minute. From the rollup by minute: quick, live to the last commit. Example: select * from shop.event_funnel(split_by => ''device''). One row per value, most views first.';
grant execute on function shop.event_funnel(timestamptz, timestamptz, shop.event_split)
  to clickledger_reader, clickledger_operator;
