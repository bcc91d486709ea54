create function shop.conversion_rate(
  width     interval    default '1 day',
  from_time timestamptz default now() - interval '28 days',
  to_time   timestamptz default now(),
  time_zone text        default 'UTC'
) returns table (starts_at timestamptz, sessions bigint, converted bigint, conversion_rate numeric)
  language sql stable parallel safe
as $$
  with visits as (
    select e.session_id, min(e.event_time) as started_at, bool_or(e.event_type = 'purchase') as has_purchase
    from shop.events e
    where e.event_time >= from_time and e.event_time < to_time
    group by e.session_id
  ),
  counted as (
    select shop.bin_of(v.started_at, width, time_zone) as starts_at,
           count(*) as sessions, count(*) filter (where v.has_purchase) as converted
    from visits v
    group by 1
  )
  select b.starts_at, coalesce(c.sessions, 0), coalesce(c.converted, 0),
         round(c.converted::numeric / nullif(c.sessions, 0), 4)
  from shop.bins(from_time, to_time, width, time_zone) as b (starts_at)
  left join counted c on c.starts_at = b.starts_at
  order by b.starts_at
$$;
comment on function shop.conversion_rate(interval, timestamptz, timestamptz, text) is
  'Session conversion rate: sessions with a purchase over all sessions (as web analytics define it), each counted where its first event of the window lies; null where there were no sessions. time_zone: where days are cut. Scans the events of the window. Example: select * from shop.conversion_rate(''1 week'', now() - interval ''8 weeks''). One row per interval, gaps filled.';
grant execute on function shop.conversion_rate(interval, timestamptz, timestamptz, text)
  to clickledger_reader, clickledger_operator;
