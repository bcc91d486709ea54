create function shop.revenue_trend(
  from_time   timestamptz default now() - interval '28 days',
  to_time     timestamptz default now(),
  in_currency text        default null,
  time_zone   text        default 'UTC'
) returns table (
    day date, currency text, revenue numeric, moving_average numeric, change_on_day numeric, change_on_week numeric)
  language sql stable parallel safe
as $$
  with days as (
    select (r.starts_at at time zone time_zone)::date as day, r.currency, r.revenue,
           round(avg(r.revenue) over last_week, 2) as moving_average,
           lag(r.revenue) over in_order            as day_before,
           lag(r.revenue, 7) over in_order         as week_before
    from shop.revenue_by('1 day', (date_trunc('day', from_time at time zone time_zone) - interval '7 days') at time zone time_zone,
                         to_time, in_currency, time_zone) r
    window in_order  as (partition by r.currency order by r.starts_at),
           last_week as (partition by r.currency order by r.starts_at rows between 6 preceding and current row)
  )
  select d.day, d.currency, d.revenue, d.moving_average,
         round((d.revenue - d.day_before) / nullif(d.day_before, 0), 4),
         round((d.revenue - d.week_before) / nullif(d.week_before, 0), 4)
  from days d
  where d.day >= (from_time at time zone time_zone)::date
  order by d.currency, d.day
$$;
comment on function shop.revenue_trend(timestamptz, timestamptz, text, text) is
  'Revenue by day with its moving average over seven days (that day and the six before; days without sales count as 0), and the change on the day and on the week before as a share (0.1 is 10 % more; null where there was nothing). Days are those of time_zone; the last one may be under way. From the rollup by minute. Example: select * from shop.revenue_trend(time_zone => ''Europe/Berlin''). One row per day and currency.';
grant execute on function shop.revenue_trend(timestamptz, timestamptz, text, text)
  to clickledger_reader, clickledger_operator;
