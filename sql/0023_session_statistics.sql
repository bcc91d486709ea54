create function shop.session_statistics(
  from_time timestamptz        default now() - interval '7 days',
  to_time   timestamptz        default now(),
  split_by  shop.session_split default 'all'
) returns table (
    value text, sessions bigint, users bigint, median_duration interval, average_events numeric,
    average_products numeric, single_event_share numeric, carted_share numeric, conversion_rate numeric)
  language sql stable parallel safe
as $$
  with visits as (
    select case split_by when 'category' then e.category when 'device' then e.device
                         when 'country' then e.country::text else 'all' end as value,
           e.session_id, min(e.user_id) as user_id, max(e.event_time) - min(e.event_time) as duration,
           count(*) as events, count(distinct e.product_id) as products,
           bool_or(e.event_type = 'add_to_cart') as carted, bool_or(e.event_type = 'purchase') as converted
    from shop.events e
    where e.event_time >= from_time and e.event_time < to_time
    group by 1, 2
  )
  select v.value, count(*), count(distinct v.user_id),
         percentile_cont(0.5) within group (order by v.duration),
         round(avg(v.events), 2), round(avg(v.products), 2),
         round(count(*) filter (where v.events = 1)::numeric / count(*), 4),
         round(count(*) filter (where v.carted)::numeric / count(*), 4),
         round(count(*) filter (where v.converted)::numeric / count(*), 4)
  from visits v
  group by v.value
  order by count(*) desc, v.value
$$;
comment on function shop.session_statistics(timestamptz, timestamptz, shop.session_split) is
  'How sessions are: how many, median duration, depth, share with a single event (bounces), with a cart, and with a purchase. split_by: all, category, device or country. Scans the events of the window. Example: select * from shop.session_statistics(split_by => ''country'') limit 10. One row per value, most sessions first.';
grant execute on function shop.session_statistics(timestamptz, timestamptz, shop.session_split)
  to clickledger_reader, clickledger_operator;
