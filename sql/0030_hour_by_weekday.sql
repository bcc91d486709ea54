create function shop.hour_by_weekday(
  from_time timestamptz default now() - interval '28 days',
  to_time   timestamptz default now(),
  time_zone text        default 'UTC'
) returns table (weekday integer, hour integer, events bigint, views bigint, carts bigint, purchases bigint)
  language sql stable parallel safe
as $$
  with counted as (
    select extract(isodow from h.hour at time zone time_zone)::integer as weekday,
           extract(hour from h.hour at time zone time_zone)::integer   as hour,
           sum(h.events) as events, sum(h.views) as views, sum(h.carts) as carts, sum(h.purchases) as purchases
    from (
      -- Offsets of time zones are whole quarters of an hour: few groups are left to be placed.
      select date_bin('15 minutes', r.minute, timestamptz '2001-01-01 00:00:00+00') as hour,
             sum(r.events) as events,
             sum(r.events) filter (where r.event_type = 'product_view') as views,
             sum(r.events) filter (where r.event_type = 'add_to_cart')  as carts,
             sum(r.events) filter (where r.event_type = 'purchase')     as purchases
      from shop.minute_rollup_parts r
      where r.minute >= date_trunc('minute', from_time) and r.minute < to_time
      group by 1
    ) h
    group by 1, 2
  )
  select d.weekday, t.hour, coalesce(c.events, 0)::bigint, coalesce(c.views, 0)::bigint,
         coalesce(c.carts, 0)::bigint, coalesce(c.purchases, 0)::bigint
  from generate_series(1, 7) as d (weekday)
  cross join generate_series(0, 23) as t (hour)
  left join counted c on c.weekday = d.weekday and c.hour = t.hour
  order by d.weekday, t.hour
$$;
comment on function shop.hour_by_weekday(timestamptz, timestamptz, text) is
  'When people come: events by weekday (1 is Monday) and hour of the day, as clocks show them in time_zone; from_time is cut to the minute. From the rollup by minute. Example: select * from shop.hour_by_weekday(time_zone => ''Asia/Kolkata''). One row per weekday and hour: always 168.';
grant execute on function shop.hour_by_weekday(timestamptz, timestamptz, text)
  to clickledger_reader, clickledger_operator;
