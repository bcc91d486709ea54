create function shop.freshness()
  returns table (
    newest_event timestamptz, newest_commit timestamptz, event_age interval, commit_age interval,
    files_under_way bigint, files_last_hour bigint, lag_p50_ms numeric, lag_p95_ms numeric)
  language sql stable parallel safe
as $$
  with newest as (
    select greatest((select max(b.minute) from shop.minute_rollup_base b),
                    (select max(d.minute) from shop.minute_rollup_delta d)) as minute
  ),
  event as (
    select max(e.event_time) as event_time
    from shop.events e
    where e.event_time >= (select n.minute from newest n)
      and e.event_time < (select n.minute from newest n) + interval '1 minute'
  ),
  under_way as (
    select count(*) as files from ingest.files f where f.settled_at is null
  ),
  recent as (
    select max(f.committed_at) as committed_at, count(*) filter (where f.committed_at > now() - interval '1 hour') as files,
           percentile_cont(array[0.5, 0.95]) within group (
             order by extract(epoch from f.committed_at - coalesce(f.closed_at, f.discovered_at)) * 1000)
             filter (where f.committed_at > now() - interval '1 hour') as lags
    from ingest.files f
    where f.state = 'loaded'
  )
  select e.event_time, r.committed_at, now() - e.event_time, now() - r.committed_at, u.files, r.files,
         round((r.lags)[1]::numeric, 1), round((r.lags)[2]::numeric, 1)
  from event e
  cross join under_way u
  cross join recent r
$$;
comment on function shop.freshness() is
  'How fresh the data is: time of the newest event and of the newest commit, their ages, files under way, and over the last hour how many files were loaded and the lag from the end of writing to the commit of their last row (median and 95th percentile, milliseconds). Quick, live to the last commit. Example: select * from shop.freshness(). One row.';
grant execute on function shop.freshness()
  to clickledger_reader, clickledger_operator;
