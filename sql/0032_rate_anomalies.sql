create function shop.rate_anomalies(
  from_time timestamptz default now() - interval '24 hours',
  to_time   timestamptz default now(),
  threshold numeric     default 3.5,
  weeks     integer     default 8
) returns table (
    hour timestamptz, events bigint, usual_events numeric, observations bigint, score numeric, is_anomaly boolean)
  language sql stable parallel safe
as $$
  with hourly as materialized (
    select date_trunc('hour', r.minute, 'UTC') as hour, sum(r.events)::bigint as events
    from shop.minute_rollup_parts r
    where r.minute >= date_trunc('hour', from_time, 'UTC') - weeks * interval '168 hours' and r.minute < to_time
    group by 1
  ),
  beginning as (
    select date_trunc('hour', least((select min(b.minute) from shop.minute_rollup_base b),
                                    (select min(d.minute) from shop.minute_rollup_delta d)), 'UTC') as hour
  ),
  asked as (
    select s.hour, coalesce(h.events, 0) as events
    from generate_series(date_trunc('hour', from_time, 'UTC'), to_time - interval '1 hour', interval '1 hour') as s (hour)
    left join hourly h on h.hour = s.hour
  ),
  compared as (
    select a.hour, a.events, coalesce(h.events, 0) as past_events
    from asked a
    cross join generate_series(1, weeks) as w (weeks_ago)
    cross join beginning b
    left join hourly h on h.hour = a.hour - w.weeks_ago * interval '168 hours'
    -- The first hour is cut by whenever the shop began.
    where a.hour - w.weeks_ago * interval '168 hours' > b.hour
  ),
  medians as (
    select c.hour, percentile_cont(0.5) within group (order by c.past_events)::numeric as median
    from compared c
    group by c.hour
  ),
  spreads as (
    select c.hour, count(*) as observations,
           percentile_cont(0.5) within group (order by abs(c.past_events - m.median))::numeric as mad,
           avg(abs(c.past_events - m.median)) as mean_deviation
    from compared c
    join medians m on m.hour = c.hour
    group by c.hour
  ),
  scored as (
    select a.hour, a.events, m.median, coalesce(s.observations, 0) as observations,
           case when s.observations < 3 then null
                when s.mad > 0 then 0.6745 * (a.events - m.median) / s.mad
                else (a.events - m.median) / nullif(1.253314 * s.mean_deviation, 0) end as score
    from asked a
    left join medians m on m.hour = a.hour
    left join spreads s on s.hour = a.hour
  )
  select s.hour, s.events, round(s.median, 1), s.observations, round(s.score, 2), coalesce(abs(s.score) > threshold, false)
  from scored s
  order by s.hour
$$;
comment on function shop.rate_anomalies(timestamptz, timestamptz, numeric, integer) is
  'Hours with unusually many or few events, against the same hour of the week in the weeks before: the modified z-score of Iglewicz and Hoaglin (1993), 0.6745 (x - median) / MAD, with the mean absolute deviation where the MAD is 0; null with fewer than three observations. An anomaly lies beyond threshold (3.5, as they recommend). Only whole hours (UTC) that are over. From the rollup by minute. Example: select * from shop.rate_anomalies(now() - interval ''7 days'') where is_anomaly. One row per hour.';
grant execute on function shop.rate_anomalies(timestamptz, timestamptz, numeric, integer)
  to clickledger_reader, clickledger_operator;
