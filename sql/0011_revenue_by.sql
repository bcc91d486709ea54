create function shop.revenue_by(
  width       interval    default '1 hour',
  from_time   timestamptz default now() - interval '24 hours',
  to_time     timestamptz default now(),
  in_currency text        default null,
  time_zone   text        default 'UTC'
) returns table (starts_at timestamptz, currency text, purchases bigint, quantity bigint, revenue numeric)
  language sql stable parallel safe
as $$
  with sold as (
    select shop.bin_of(r.minute, width, time_zone) as starts_at, r.currency::text as currency,
           sum(r.events) as purchases, sum(r.quantity) as quantity, sum(r.revenue) as revenue
    from shop.minute_rollup_parts r
    where r.minute >= date_trunc('minute', from_time) and r.minute < to_time
      and r.event_type = 'purchase'
      and (in_currency is null or r.currency = in_currency)
    group by 1, 2
    having sum(r.events) <> 0
  ),
  currencies as (
    select distinct s.currency from sold s
    union
    select in_currency where in_currency is not null or not exists (select from sold)
  )
  select b.starts_at, c.currency, coalesce(s.purchases, 0)::bigint, coalesce(s.quantity, 0)::bigint,
         coalesce(s.revenue, 0)
  from shop.bins(from_time, to_time, width, time_zone) as b (starts_at)
  cross join currencies c
  left join sold s on s.starts_at = b.starts_at and s.currency = c.currency
  order by c.currency, b.starts_at
$$;
comment on function shop.revenue_by(interval, timestamptz, timestamptz, text, text) is
  'Revenue by interval, gaps filled with zeros. width: whole minutes up to weeks; from_time is cut to the minute; time_zone: where days are cut. purchases: lines of orders; revenue: sum of price times quantity. From the rollup by minute: quick, live to the last commit. Example: select * from shop.revenue_by(''15 minutes'', now() - interval ''6 hours''). One row per interval and currency.';
grant execute on function shop.revenue_by(interval, timestamptz, timestamptz, text, text)
  to clickledger_reader, clickledger_operator;
