create function shop.new_and_returning(
  width     interval    default '1 day',
  from_time timestamptz default now() - interval '28 days',
  to_time   timestamptz default now(),
  time_zone text        default 'UTC'
) returns table (starts_at timestamptz, users bigint, new_users bigint, returning_users bigint, new_share numeric)
  language sql stable parallel safe
as $$
  with first_seen as (
    select e.user_id, min(e.event_time) as seen_at
    from shop.events e
    where e.event_time < to_time
    group by e.user_id
  ),
  visits as (
    select distinct e.user_id, shop.bin_of(e.event_time, width, time_zone) as starts_at
    from shop.events e
    where e.event_time >= from_time and e.event_time < to_time
  ),
  counted as (
    select v.starts_at, count(*) as users,
           count(*) filter (where shop.bin_of(f.seen_at, width, time_zone) = v.starts_at) as new_users
    from visits v
    join first_seen f on f.user_id = v.user_id
    group by v.starts_at
  )
  select b.starts_at, coalesce(c.users, 0), coalesce(c.new_users, 0), coalesce(c.users - c.new_users, 0),
         round(c.new_users::numeric / nullif(c.users, 0), 4)
  from shop.bins(from_time, to_time, width, time_zone) as b (starts_at)
  left join counted c on c.starts_at = b.starts_at
  order by b.starts_at
$$;
comment on function shop.new_and_returning(interval, timestamptz, timestamptz, text) is
  'Users by interval: new where their first event ever lies in it, else returning. time_zone: where days are cut. Scans all events up to to_time: first visits lie anywhere; what retention dropped is not seen. Example: select * from shop.new_and_returning(''1 week'', now() - interval ''8 weeks''). One row per interval, gaps filled.';
grant execute on function shop.new_and_returning(interval, timestamptz, timestamptz, text)
  to clickledger_reader, clickledger_operator;
