create function ingest.completeness(
  width     interval    default '1 hour',
  from_time timestamptz default now() - interval '24 hours',
  to_time   timestamptz default now(),
  time_zone text        default 'UTC'
) returns table (
    starts_at timestamptz, files bigint, loaded bigint, missing bigint, named text[], is_complete boolean)
  language sql stable parallel safe
as $$
  with numbered as (
    select f.file_id, f.file_name, f.state,
           to_timestamp(x.parts[1], 'YYYYMMDD"T"HH24MISS"Z"')::timestamp at time zone 'UTC' as feed_time,
           x.parts[2]::bigint as sequence
    from ingest.files f
    cross join lateral (
      select regexp_match(f.file_name, '^events-(\d{8}T\d{6}Z)-(\d{6,15})\.csv(?:\.gz)?$') as parts
    ) x
    where x.parts is not null and f.state <> 'unloaded'
  ),
  newest as (
    select distinct on (n.file_name) n.file_name, n.state, n.feed_time, n.sequence
    from numbered n
    order by n.file_name, n.file_id desc
  ),
  followed as (
    select n.file_name, n.state, n.feed_time, n.sequence,
           lag(n.sequence) over (order by n.feed_time, n.sequence) as before
    from newest n
  ),
  expected as (
    -- A number that does not go on from the one before begins another stream.
    select w.feed_time, w.sequence, w.file_name, w.state,
           case when w.sequence > w.before + 1 then w.sequence - w.before - 1 else 0 end as gap
    from followed w
    where w.feed_time >= from_time and w.feed_time < to_time
  ),
  checked as (
    select m.seen_at as at, m.file_name, m.verdict
    from ingest.manifest_checks m
    where m.seen_at >= from_time and m.seen_at < to_time and m.verdict <> 'complete'
  ),
  counted as (
    select shop.bin_of(e.feed_time, width, time_zone) as starts_at, count(*) as files,
           count(*) filter (where e.state in ('loaded', 'duplicate')) as loaded, sum(e.gap)::bigint as missing,
           array_agg(format('%s: %s', e.file_name, e.state) order by e.feed_time, e.sequence)
             filter (where e.state not in ('loaded', 'duplicate'))
           || array_agg(format('%s before %s: missing', e.gap, e.file_name) order by e.feed_time, e.sequence)
             filter (where e.gap > 0) as named
    from expected e
    group by 1
  ),
  said as (
    select shop.bin_of(c.at, width, time_zone) as starts_at, count(*) filter (where c.verdict = 'missing') as missing,
           array_agg(format('%s: %s', c.file_name, c.verdict) order by c.at, c.file_name) as named
    from checked c
    group by 1
  )
  select b.starts_at, coalesce(c.files, 0), coalesce(c.loaded, 0), coalesce(c.missing, 0) + coalesce(s.missing, 0),
         coalesce(c.named, '{}') || coalesce(s.named, '{}'),
         coalesce(c.named, '{}') || coalesce(s.named, '{}') = '{}'
  from shop.bins(from_time, to_time, width, time_zone) as b (starts_at)
  left join counted c on c.starts_at = b.starts_at
  left join said s on s.starts_at = b.starts_at
  order by b.starts_at
$$;
comment on function ingest.completeness(interval, timestamptz, timestamptz, text) is
  'Which intervals have all their files: those of the generator by their running numbers (placed by the time in their names), those of other producers by their manifests (placed where the manifest was read; see ingest.manifest_checks). named: each file that is missing, not loaded, short, long or altered. A file that comes late, or is loaded again, completes its interval. Example: select * from ingest.completeness(''1 hour'') where not is_complete. One row per interval.';
grant execute on function ingest.completeness(interval, timestamptz, timestamptz, text)
  to clickledger_reader, clickledger_operator;
