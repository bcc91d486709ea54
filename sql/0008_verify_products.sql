-- The proof, with the rollup of products. One statement, so one snapshot: it can run while files load.

create or replace function ingest.verify(only_file bigint default null)
  returns table (invariant text, file_id bigint, violation text)
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
with checked as (
  select f.file_id, f.feed, f.state, f.settled_at, f.records, f.loaded, f.duplicates, f.rejected,
         f.data_start, f.data_end
  from ingest.files f
  where only_file is null or f.file_id = only_file
),
planned as (
  select c.file_id,
         count(*)                                       as chunks,
         count(*) filter (where c.committed_at is null) as open_chunks,
         min(c.byte_start)                              as byte_start,
         max(c.byte_end)                                as byte_end,
         sum(c.records)                                 as records,
         sum(c.loaded)                                  as loaded,
         sum(c.duplicates)                              as duplicates,
         sum(c.rejected)                                as rejected
  from ingest.chunks c
  where only_file is null or c.file_id = only_file
  group by c.file_id
),
borders as (
  select c.file_id, c.chunk_no, c.byte_start,
         lag(c.byte_end) over (partition by c.file_id order by c.chunk_no) as previous_end
  from ingest.chunks c
  where only_file is null or c.file_id = only_file
),
keys as (
  select k.file_id, count(*) as keys
  from ingest.event_keys k
  where only_file is null or k.file_id = only_file
  group by k.file_id
),
copies as (
  select d.file_id, count(*) as copies
  from ingest.duplicates d
  where only_file is null or d.file_id = only_file
  group by d.file_id
),
quarantine as (
  select r.file_id, count(*) as rejects
  from ingest.rejects r
  where r.state in ('open', 'waived') and (only_file is null or r.file_id = only_file)
  group by r.file_id
),
first_horizon as (
  select h.feed, h.events_from from ingest.horizon h
),
live_keys as (
  select k.event_id, k.file_id, k.line_number, k.event_time
  from ingest.event_keys k
  join ingest.files f on f.file_id = k.file_id
  join first_horizon h on h.feed = f.feed
  where k.event_time >= h.events_from and (only_file is null or k.file_id = only_file)
),
live_events as (
  select e.event_id, e.file_id, e.line_number, e.event_time
  from shop.events e
  where e.event_time >= (select min(h.events_from) from first_horizon h)
    and (only_file is null or e.file_id = only_file)
),
-- Every line that became something: equal counts alone would hide one line counted twice and another never.
handled_lines as (
  select k.file_id, k.line_number
  from ingest.event_keys k
  where only_file is null or k.file_id = only_file
  union all
  select d.file_id, d.line_number
  from ingest.duplicates d
  where only_file is null or d.file_id = only_file
  union all
  select r.file_id, r.line_number
  from ingest.rejects r
  where r.state in ('open', 'waived') and (only_file is null or r.file_id = only_file)
),
-- Sums per group, once from the events and once from the rollup; equal groups cancel out. Base and deltas are read
-- directly: the view hides groups without events.
rollup_difference as (
  select g.minute, sum(g.events) as events, sum(g.quantity) as quantity, sum(g.revenue) as revenue
  from (
    select date_trunc('minute', e.event_time, 'UTC') as minute, e.event_type, e.category, e.device, e.currency,
           count(*) as events, sum(e.quantity) as quantity, sum(e.price * e.quantity) as revenue
    from shop.events e
    where only_file is null and e.event_time >= (select min(h.events_from) from first_horizon h)
    group by 1, 2, 3, 4, 5
    union all
    select b.minute, b.event_type, b.category, b.device, b.currency, -b.events, -b.quantity, -b.revenue
    from shop.minute_rollup_base b
    where only_file is null and b.minute >= (select min(h.events_from) from first_horizon h)
    union all
    select d.minute, d.event_type, d.category, d.device, d.currency, -d.events, -d.quantity, -d.revenue
    from shop.minute_rollup_delta d
    where only_file is null and d.minute >= (select min(h.events_from) from first_horizon h)
  ) g
  group by g.minute, g.event_type, g.category, g.device, g.currency
  having sum(g.events) <> 0 or sum(g.quantity) <> 0 or sum(g.revenue) <> 0
),
product_difference as (
  select g.hour, g.product_id, sum(g.views + g.carts + g.removals + g.purchases) as events,
         sum(g.quantity) as quantity, sum(g.revenue) as revenue
  from (
    select date_trunc('hour', e.event_time, 'UTC') as hour, e.product_id, e.currency,
           count(*) filter (where e.event_type = 'product_view')     as views,
           count(*) filter (where e.event_type = 'add_to_cart')      as carts,
           count(*) filter (where e.event_type = 'remove_from_cart') as removals,
           count(*) filter (where e.event_type = 'purchase')         as purchases,
           coalesce(sum(e.quantity) filter (where e.event_type = 'purchase'), 0)           as quantity,
           coalesce(sum(e.price * e.quantity) filter (where e.event_type = 'purchase'), 0) as revenue
    from shop.events e
    where only_file is null and e.event_time >= (select min(h.events_from) from first_horizon h)
    group by 1, 2, 3
    union all
    select b.hour, b.product_id, b.currency, -b.views, -b.carts, -b.removals, -b.purchases, -b.quantity, -b.revenue
    from shop.product_rollup_base b
    where only_file is null and b.hour >= (select min(h.events_from) from first_horizon h)
    union all
    select d.hour, d.product_id, d.currency, -d.views, -d.carts, -d.removals, -d.purchases, -d.quantity, -d.revenue
    from shop.product_rollup_delta d
    where only_file is null and d.hour >= (select min(h.events_from) from first_horizon h)
  ) g
  group by g.hour, g.product_id, g.currency
  having sum(g.views) <> 0 or sum(g.carts) <> 0 or sum(g.removals) <> 0 or sum(g.purchases) <> 0
      or sum(g.quantity) <> 0 or sum(g.revenue) <> 0
)
select 'I1', f.file_id, format('records %s, but loaded %s + duplicates %s + rejected %s', f.records, f.loaded, f.duplicates, f.rejected)
from checked f
where f.state = 'loaded' and f.records is distinct from f.loaded + f.duplicates + f.rejected
union all
select 'I1', f.file_id, format('file counts %s/%s/%s/%s, but its chunks sum to %s/%s/%s/%s (records/loaded/duplicates/rejected)',
         f.records, f.loaded, f.duplicates, f.rejected, p.records, p.loaded, p.duplicates, p.rejected)
from checked f left join planned p using (file_id)
where f.state = 'loaded'
  and (f.records, f.loaded, f.duplicates, f.rejected) is distinct from
      (coalesce(p.records, 0), coalesce(p.loaded, 0), coalesce(p.duplicates, 0), coalesce(p.rejected, 0))
union all
select 'I1', f.file_id, format('%s chunks were never committed', p.open_chunks)
from checked f join planned p using (file_id)
where f.state = 'loaded' and p.open_chunks > 0
union all
select 'I1', f.file_id, format('chunks cover bytes %s to %s, but the data is bytes %s to %s', p.byte_start, p.byte_end, f.data_start, f.data_end)
from checked f left join planned p using (file_id)
where f.state = 'loaded'
  and (coalesce(p.byte_start, f.data_end), coalesce(p.byte_end, f.data_end)) is distinct from (f.data_start, f.data_end)
union all
select 'I1', b.file_id, format('chunk %s begins at byte %s, but the one before ends at %s', b.chunk_no, b.byte_start, b.previous_end)
from borders b join checked f using (file_id)
where f.state = 'loaded' and b.byte_start is distinct from coalesce(b.previous_end, b.byte_start)
union all
select 'I1', f.file_id, format('chunks say loaded %s, but %s keys belong to the file', coalesce(p.loaded, 0), coalesce(k.keys, 0))
from checked f left join planned p using (file_id) left join keys k using (file_id)
where coalesce(p.loaded, 0) <> coalesce(k.keys, 0)
union all
select 'I1', f.file_id, format('chunks say duplicates %s, but %s are listed', coalesce(p.duplicates, 0), coalesce(c.copies, 0))
from checked f left join planned p using (file_id) left join copies c using (file_id)
where coalesce(p.duplicates, 0) <> coalesce(c.copies, 0)
union all
select 'I1', f.file_id, format('chunks say rejected %s, but %s are in quarantine', coalesce(p.rejected, 0), coalesce(q.rejects, 0))
from checked f left join planned p using (file_id) left join quarantine q using (file_id)
where f.state in ('loading', 'loaded') and coalesce(p.rejected, 0) <> coalesce(q.rejects, 0)
union all
select 'I1', f.file_id, format('state %s, but chunks count %s records as handled', f.state, p.loaded + p.duplicates + p.rejected)
from checked f join planned p using (file_id)
where f.state not in ('loading', 'loaded', 'unloading') and p.loaded + p.duplicates + p.rejected <> 0
union all
select 'I1', l.file_id, format('line %s is counted %s times', l.line_number, count(*))
from handled_lines l
group by l.file_id, l.line_number
having count(*) > 1
union all
-- Their events would be taken for duplicates for ever.
select 'I1', k.file_id, format('%s keys belong to a file that is not in the ledger', k.keys)
from keys k
where not exists (select from ingest.files f where f.file_id = k.file_id)
union all
select 'I2', coalesce(k.file_id, e.file_id),
       case when e.event_id is null then format('event %s has a key, but is not in shop.events', k.event_id)
            when k.event_id is null then format('event %s is in shop.events without a key', e.event_id)
            else format('event %s stands at line %s of file %s, but its key says line %s of file %s',
                        e.event_id, e.line_number, e.file_id, k.line_number, k.file_id) end
from live_keys k full join live_events e on e.event_id = k.event_id
where (k.event_id, k.file_id, k.line_number, k.event_time) is distinct from (e.event_id, e.file_id, e.line_number, e.event_time)
union all
select 'I2', min(e.file_id), format('event %s is in shop.events %s times', e.event_id, count(*))
from live_events e
group by e.event_id
having count(*) > 1
union all
select 'I2', d.file_id, format('line %s repeats event %s, which no file holds', d.line_number, d.event_id)
from ingest.duplicates d
join checked f using (file_id)
-- While a file unloads chunk by chunk, its later lines may repeat events of its earlier ones.
where f.state in ('loading', 'loaded')
  and not exists (select from ingest.event_keys k where k.event_id = d.event_id)
union all
-- The transaction that gives a file up re-opens a duplicate of it; the same test of whether its bytes exist is there.
select 'I2', d.file_id, format('duplicate of file %s, which is %s: its events are in no file', o.file_id, o.state)
from ingest.files d
join checked f on f.file_id = d.file_id
join ingest.files o on o.file_id = d.duplicate_of
where d.state = 'duplicate' and o.state in ('failed', 'cancelled')
  and (d.archive_path is not null or d.settled_at is null
       or (d.error_code is null and (d.inbox_id, d.path) <> (o.inbox_id, o.path)))
union all
select 'I5', null, format('rollup of minute %s differs from its events by %s events, %s pieces, %s revenue', g.minute, -g.events, -g.quantity, -g.revenue)
from rollup_difference g
union all
-- Without the product: its id is a value of the feed, and outcomes are kept and printed.
select 'I5', null, format('rollup of a product in hour %s differs from its events by %s events, %s pieces, %s revenue', g.hour, -g.events, -g.quantity, -g.revenue)
from product_difference g
$$;
comment on function ingest.verify(bigint) is
  'Violations of the invariants I1 (every record counted once), I2 (every event there once) and I5 (rollups equal their events), of one file or of all. Empty means proven. One row per violation.';
