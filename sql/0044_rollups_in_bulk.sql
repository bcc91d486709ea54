-- What large loads copy of the rollups goes to tables of its own, which are only appended to: in the bases, each group
-- cost its place in a b-tree, and a period that these had something of already went as deltas. The folder is again the
-- only one that writes to the bases, so their groups are unique. Which periods were copied is kept in a small table of
-- its own: each goes there a few times at most, the rest stays deltas.

create table shop.minute_rollup_bulk (
  minute     timestamptz   not null,
  event_type text          not null,
  category   text          not null,
  device     text          not null,
  currency   char(3)       not null,
  events     bigint        not null,
  quantity   bigint        not null,
  revenue    numeric(20,2) not null
);
comment on table  shop.minute_rollup_bulk            is 'Part of shop.minute_rollup that large loads copied; append-only. A few rows, to be summed, per minute, event type, category, device and currency; what an unload took away is in the other parts.';
comment on column shop.minute_rollup_bulk.minute     is 'Start of the minute.';
comment on column shop.minute_rollup_bulk.event_type is 'Event type.';
comment on column shop.minute_rollup_bulk.category   is 'Category; empty where events have none.';
comment on column shop.minute_rollup_bulk.device     is 'Device.';
comment on column shop.minute_rollup_bulk.currency   is 'Currency of revenue; sums across currencies mean nothing.';
comment on column shop.minute_rollup_bulk.events     is 'Number of events.';
comment on column shop.minute_rollup_bulk.quantity   is 'Sum of quantity.';
comment on column shop.minute_rollup_bulk.revenue    is 'Sum of price times quantity.';

create table shop.product_rollup_bulk (
  hour       timestamptz   not null,
  product_id text          not null,
  currency   char(3)       not null,
  views      bigint        not null,
  carts      bigint        not null,
  removals   bigint        not null,
  purchases  bigint        not null,
  quantity   bigint        not null,
  revenue    numeric(20,2) not null
);
comment on table  shop.product_rollup_bulk            is 'Part of shop.product_rollup that large loads copied; append-only. A few rows, to be summed, per hour (UTC), product and currency; what an unload took away is in the other parts.';
comment on column shop.product_rollup_bulk.hour       is 'Start of the hour, UTC.';
comment on column shop.product_rollup_bulk.product_id is 'Product.';
comment on column shop.product_rollup_bulk.currency   is 'Currency of revenue; sums across currencies mean nothing.';
comment on column shop.product_rollup_bulk.views      is 'Number of product_view events.';
comment on column shop.product_rollup_bulk.carts      is 'Number of add_to_cart events.';
comment on column shop.product_rollup_bulk.removals   is 'Number of remove_from_cart events.';
comment on column shop.product_rollup_bulk.purchases  is 'Number of purchase events: lines of orders.';
comment on column shop.product_rollup_bulk.quantity   is 'Pieces purchased.';
comment on column shop.product_rollup_bulk.revenue    is 'Sum of price times quantity of purchases.';

-- Without autosummarize: its requests wait a minute for autovacuum, and of many at once it refuses most and logs each.
-- Several intervals per range, so that a few late events in each file do not make every range one of all times.
create index minute_rollup_bulk_brin on shop.minute_rollup_bulk
  using brin (minute timestamptz_minmax_multi_ops) with (pages_per_range = 32);
create index product_rollup_bulk_brin on shop.product_rollup_bulk
  using brin (hour timestamptz_minmax_multi_ops) with (pages_per_range = 32);
create index minute_rollup_bulk_sold on shop.minute_rollup_bulk (minute)
  include (category, device, currency, events, quantity, revenue) where event_type = 'purchase';
create index product_rollup_bulk_sold on shop.product_rollup_bulk (hour)
  include (product_id, currency, purchases, quantity, revenue) where purchases <> 0;
comment on index shop.minute_rollup_bulk_brin is 'Serves: groups of a period. A block range index: what a chunk copies lies in the order of time, so it costs next to nothing on load. The folder sees to new ranges.';
comment on index shop.product_rollup_bulk_brin is 'Serves: products of a period. A block range index, as above.';
comment on index shop.minute_rollup_bulk_sold is 'Serves: revenue of a period. Holds the groups of purchases, some 2 % of all.';
comment on index shop.product_rollup_bulk_sold is 'Serves: what sells in a period. Holds the groups with a purchase, some 2 % of all.';

create table shop.rollup_copies (
  first_minute timestamptz not null,
  last_minute  timestamptz not null,
  check (first_minute <= last_minute and date_trunc('hour', first_minute, 'UTC') = date_trunc('hour', last_minute, 'UTC'))
);
comment on table  shop.rollup_copies              is 'What loads copied into shop.minute_rollup_bulk and shop.product_rollup_bulk; kept when events are unloaded. One row per chunk and hour (UTC) that it copied something of.';
comment on column shop.rollup_copies.first_minute is 'First minute of the hour that it copied groups of.';
comment on column shop.rollup_copies.last_minute  is 'The last such minute.';
create index rollup_copies_last_minute on shop.rollup_copies (last_minute);
comment on index shop.rollup_copies_last_minute is 'Serves: what was copied of an hour, and the newest and oldest minute. Paid with a row per chunk and hour.';

-- A base may hold several rows of a group, from loads that did not see each other.
with taken as (
  delete from shop.minute_rollup_base b
  using (
    select g.minute, g.event_type, g.category, g.device, g.currency
    from shop.minute_rollup_base g
    group by g.minute, g.event_type, g.category, g.device, g.currency
    having count(*) > 1
  ) s
  where b.minute = s.minute and b.event_type = s.event_type and b.category = s.category
    and b.device = s.device and b.currency = s.currency
  returning b.minute, b.event_type, b.category, b.device, b.currency, b.events, b.quantity, b.revenue
)
insert into shop.minute_rollup_base (minute, event_type, category, device, currency, events, quantity, revenue)
select t.minute, t.event_type, t.category, t.device, t.currency, sum(t.events), sum(t.quantity), sum(t.revenue)
from taken t
group by t.minute, t.event_type, t.category, t.device, t.currency
having sum(t.events) <> 0 or sum(t.quantity) <> 0 or sum(t.revenue) <> 0;
with taken as (
  delete from shop.product_rollup_base b
  using (
    select g.hour, g.product_id, g.currency
    from shop.product_rollup_base g
    group by g.hour, g.product_id, g.currency
    having count(*) > 1
  ) s
  where b.hour = s.hour and b.product_id = s.product_id and b.currency = s.currency
  returning b.hour, b.product_id, b.currency, b.views, b.carts, b.removals, b.purchases, b.quantity, b.revenue
)
insert into shop.product_rollup_base
  (hour, product_id, currency, views, carts, removals, purchases, quantity, revenue)
select t.hour, t.product_id, t.currency, sum(t.views), sum(t.carts), sum(t.removals), sum(t.purchases),
       sum(t.quantity), sum(t.revenue)
from taken t
group by t.hour, t.product_id, t.currency
having sum(t.views) <> 0 or sum(t.carts) <> 0 or sum(t.removals) <> 0 or sum(t.purchases) <> 0
    or sum(t.quantity) <> 0 or sum(t.revenue) <> 0;

drop index shop.minute_rollup_base_groups;
drop index shop.product_rollup_base_groups;
alter table shop.minute_rollup_base add primary key (minute, event_type, category, device, currency);
alter table shop.product_rollup_base add primary key (hour, product_id, currency);
-- Lets the folder find the groups that it brought to zero.
create index minute_rollup_base_zero on shop.minute_rollup_base (minute)
  where events = 0 and quantity = 0 and revenue = 0;
create index product_rollup_base_zero on shop.product_rollup_base (hour)
  where views = 0 and carts = 0 and removals = 0 and purchases = 0 and quantity = 0 and revenue = 0;
comment on table shop.minute_rollup_base is
  'Folded part of shop.minute_rollup; negative where an unload took away what was copied. One row per minute, event type, category, device and currency.';
comment on table shop.product_rollup_base is
  'Folded part of shop.product_rollup; negative where an unload took away what was copied. One row per hour (UTC), product and currency.';
comment on index shop.minute_rollup_base_pkey is 'Serves: groups of a period, and the folder that looks for a group. Paid by the folder, not by loads.';
comment on index shop.minute_rollup_base_zero is 'Serves: groups that an unload brought to zero. Empty but for these.';
comment on index shop.product_rollup_base_pkey is 'Serves: products of a period, and the folder that looks for a group. Paid by the folder, not by loads.';
comment on index shop.product_rollup_base_zero is 'Serves: groups that an unload brought to zero. Empty but for these.';

-- Each group is looked up by its key: a plan that was made while the bases were empty, as large loads leave them, would go
-- on to read all of a base for each group.
create or replace function shop.fold_rollups() returns bigint
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  set work_mem = '64MB' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  at_most         constant integer := 200000;
  folded_minutes  bigint;
  folded_products bigint;
begin
  -- One folder at a time; a second one has nothing to add.
  if not pg_try_advisory_xact_lock(hashtext('shop.fold_rollups')) then
    return 0;
  end if;
  with taken as (
    delete from shop.minute_rollup_delta d
    where d.ctid = any (array(select x.ctid from shop.minute_rollup_delta x limit at_most))
    returning d.minute, d.event_type, d.category, d.device, d.currency, d.events, d.quantity, d.revenue
  ),
  summed as (
    select t.minute, t.event_type, t.category, t.device, t.currency,
           sum(t.events) as events, sum(t.quantity) as quantity, sum(t.revenue) as revenue,
           count(*) as deltas
    from taken t
    group by t.minute, t.event_type, t.category, t.device, t.currency
    order by t.minute, t.event_type, t.category, t.device, t.currency
  ),
  merged as (
    merge into shop.minute_rollup_base b
    using summed s
      on b.minute = s.minute and b.event_type = s.event_type and b.category = s.category
         and b.device = s.device and b.currency = s.currency
    when matched then update
      set events = b.events + s.events, quantity = b.quantity + s.quantity, revenue = b.revenue + s.revenue
    when not matched then
      insert (minute, event_type, category, device, currency, events, quantity, revenue)
      values (s.minute, s.event_type, s.category, s.device, s.currency, s.events, s.quantity, s.revenue)
    returning s.deltas
  )
  select coalesce(sum(m.deltas), 0) from merged m into folded_minutes;
  with taken as (
    delete from shop.product_rollup_delta d
    where d.ctid = any (array(select x.ctid from shop.product_rollup_delta x limit at_most))
    returning d.hour, d.product_id, d.currency, d.views, d.carts, d.removals, d.purchases, d.quantity, d.revenue
  ),
  summed as (
    select t.hour, t.product_id, t.currency,
           sum(t.views) as views, sum(t.carts) as carts, sum(t.removals) as removals,
           sum(t.purchases) as purchases, sum(t.quantity) as quantity, sum(t.revenue) as revenue,
           count(*) as deltas
    from taken t
    group by t.hour, t.product_id, t.currency
    order by t.hour, t.product_id, t.currency
  ),
  merged as (
    merge into shop.product_rollup_base b
    using summed s
      on b.hour = s.hour and b.product_id = s.product_id and b.currency = s.currency
    when matched then update
      set views = b.views + s.views, carts = b.carts + s.carts, removals = b.removals + s.removals,
          purchases = b.purchases + s.purchases, quantity = b.quantity + s.quantity, revenue = b.revenue + s.revenue
    when not matched then
      insert (hour, product_id, currency, views, carts, removals, purchases, quantity, revenue)
      values (s.hour, s.product_id, s.currency, s.views, s.carts, s.removals, s.purchases, s.quantity, s.revenue)
    returning s.deltas
  )
  select coalesce(sum(m.deltas), 0) from merged m into folded_products;
  -- Deltas are taken in the order in which they lie, and freed space is used anew: a batch may hold what an unload took
  -- away before what the load had brought, and a group without events then still owes its pieces and revenue.
  delete from shop.minute_rollup_base b where b.events = 0 and b.quantity = 0 and b.revenue = 0;
  delete from shop.product_rollup_base b
  where b.views = 0 and b.carts = 0 and b.removals = 0 and b.purchases = 0 and b.quantity = 0 and b.revenue = 0;
  return folded_minutes + folded_products;
end
$$;

-- Ranges of pages that the block range indexes do not know are read by every query. A vacuum makes them known as well,
-- and nobody else works on the table meanwhile: this gives up before autovacuum would end its own work for it.
create function shop.summarize_copies() returns integer
  language sql volatile security definer set search_path = pg_catalog, pg_temp set lock_timeout = '200ms'
as $$
  select brin_summarize_new_values('shop.minute_rollup_bulk_brin')
       + brin_summarize_new_values('shop.product_rollup_bulk_brin')
$$;
comment on function shop.summarize_copies() is
  'Makes new ranges of what loads copied known to the indexes by time, and returns how many; never blocks a load.';
revoke execute on function shop.summarize_copies() from public;
grant execute on function shop.summarize_copies() to clickledger_ingest;

create or replace view shop.minute_rollup_parts as
select b.minute, b.event_type, b.category, b.device, b.currency, b.events, b.quantity, b.revenue
from shop.minute_rollup_base b
union all
select k.minute, k.event_type, k.category, k.device, k.currency, k.events, k.quantity, k.revenue
from shop.minute_rollup_bulk k
union all
select d.minute, d.event_type, d.category, d.device, d.currency, d.events, d.quantity, d.revenue
from shop.minute_rollup_delta d;
comment on view shop.minute_rollup_parts is
  'Folded, copied and waiting parts of shop.minute_rollup side by side: sums over it are the same, and quicker. A few rows per group, to be summed.';

create or replace view shop.product_rollup_parts as
select b.hour, b.product_id, b.currency, b.views, b.carts, b.removals, b.purchases, b.quantity, b.revenue
from shop.product_rollup_base b
union all
select k.hour, k.product_id, k.currency, k.views, k.carts, k.removals, k.purchases, k.quantity, k.revenue
from shop.product_rollup_bulk k
union all
select d.hour, d.product_id, d.currency, d.views, d.carts, d.removals, d.purchases, d.quantity, d.revenue
from shop.product_rollup_delta d;
comment on view shop.product_rollup_parts is
  'Folded, copied and waiting parts of shop.product_rollup side by side: sums over it are the same, and quicker. A few rows per group, to be summed.';

create or replace view shop.minute_rollup as
select r.minute, r.event_type, r.category, r.device, r.currency,
       sum(r.events)::bigint         as events,
       sum(r.quantity)::bigint       as quantity,
       sum(r.revenue)::numeric(20,2) as revenue
from shop.minute_rollup_parts r
group by r.minute, r.event_type, r.category, r.device, r.currency
having sum(r.events) <> 0;

create or replace view shop.product_rollup as
select r.hour, r.product_id, r.currency,
       sum(r.views)::bigint          as views,
       sum(r.carts)::bigint          as carts,
       sum(r.removals)::bigint       as removals,
       sum(r.purchases)::bigint      as purchases,
       sum(r.quantity)::bigint       as quantity,
       sum(r.revenue)::numeric(20,2) as revenue
from shop.product_rollup_parts r
group by r.hour, r.product_id, r.currency
having sum(r.views) <> 0 or sum(r.carts) <> 0 or sum(r.removals) <> 0 or sum(r.purchases) <> 0;

-- What follows is as before, with the part that was copied. `verify` reads the parts by their views.

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
-- Sums per group, once from the events and once from the rollup; equal groups cancel out. The parts are read directly:
-- the view hides groups without events.
rollup_difference as (
  select g.minute, sum(g.events) as events, sum(g.quantity) as quantity, sum(g.revenue) as revenue
  from (
    select date_trunc('minute', e.event_time, 'UTC') as minute, e.event_type, e.category, e.device, e.currency,
           count(*) as events, sum(e.quantity) as quantity, sum(e.price * e.quantity) as revenue
    from shop.events e
    where only_file is null and e.event_time >= (select min(h.events_from) from first_horizon h)
    group by 1, 2, 3, 4, 5
    union all
    select p.minute, p.event_type, p.category, p.device, p.currency, -p.events, -p.quantity, -p.revenue
    from shop.minute_rollup_parts p
    where only_file is null and p.minute >= (select min(h.events_from) from first_horizon h)
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
    select p.hour, p.product_id, p.currency, -p.views, -p.carts, -p.removals, -p.purchases, -p.quantity, -p.revenue
    from shop.product_rollup_parts p
    where only_file is null and p.hour >= (select min(h.events_from) from first_horizon h)
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

create or replace function shop.top_products(
  ranked_by   shop.product_measure default 'revenue',
  from_time   timestamptz          default date_trunc('hour', now() - interval '23 hours'),
  to_time     timestamptz          default now(),
  in_currency text                 default null,
  max_rows    integer              default 10
) returns table (
    rank bigint, product_id text, product_name text, category text, brand text, currency text,
    views bigint, carts bigint, purchases bigint, quantity bigint, revenue numeric)
  language sql stable parallel safe
as $$
  with whole as (
    select date_trunc('hour', from_time + interval '1 hour' - interval '1 microsecond', 'UTC') as first_hour,
           date_trunc('hour', to_time + case when to_time >= now() then interval '1 hour' else interval '0' end, 'UTC')
             as end_hour
  ),
  -- What sells is found among the purchases, which are few; the rest is asked of the winners alone.
  sold as (
    select r.product_id, r.currency::text as currency, r.purchases, r.quantity, r.revenue
    from shop.product_rollup_parts r
    where r.hour >= (select w.first_hour from whole w) and r.hour < (select w.end_hour from whole w)
      and r.purchases <> 0 and ranked_by in ('purchases', 'quantity', 'revenue')
    union all
    select e.product_id, e.currency::text, 1, e.quantity, e.price * e.quantity
    from shop.events e
    where e.event_time >= from_time and e.event_time < least(to_time, (select w.first_hour from whole w))
      and (select from_time < w.first_hour from whole w)
      and e.event_type = 'purchase' and ranked_by in ('purchases', 'quantity', 'revenue')
    union all
    select e.product_id, e.currency::text, 1, e.quantity, e.price * e.quantity
    from shop.events e
    where e.event_time >= greatest(from_time, (select w.end_hour from whole w)) and e.event_time < to_time
      and (select w.first_hour <= w.end_hour from whole w)
      and e.event_type = 'purchase' and ranked_by in ('purchases', 'quantity', 'revenue')
  ),
  sellers as (
    select row_number() over (order by
             case ranked_by when 'purchases' then t.purchases when 'quantity' then t.quantity else t.revenue end desc,
             t.product_id, t.currency) as rank,
           t.product_id, t.currency, t.purchases, t.quantity, t.revenue
    from (
      select s.product_id, s.currency, sum(s.purchases)::bigint as purchases, sum(s.quantity)::bigint as quantity,
             sum(s.revenue) as revenue
      from sold s
      where in_currency is null or s.currency = in_currency
      group by s.product_id, s.currency
      having sum(s.purchases) <> 0
    ) t
  ),
  -- Read once for all of them: what was copied has no index by product.
  copied as materialized (
    select k.product_id, k.currency::text as currency, sum(k.views) as views, sum(k.carts) as carts
    from shop.product_rollup_bulk k
    where k.hour >= (select w.first_hour from whole w) and k.hour < (select w.end_hour from whole w)
      and k.product_id in (select s.product_id from sellers s where s.rank <= max_rows)
    group by k.product_id, k.currency
  ),
  best_sellers as (
    select s.rank, s.product_id, s.currency, seen.views, seen.carts, s.purchases, s.quantity, s.revenue
    from sellers s
    cross join lateral (
      select sum(x.views)::bigint as views, sum(x.carts)::bigint as carts
      from (
        select sum(b.views) as views, sum(b.carts) as carts
        from shop.product_rollup_base b
        where b.hour = any(array(
                select h.hour
                from whole w
                cross join lateral generate_series(w.first_hour, w.end_hour - interval '1 hour', interval '1 hour') as h (hour)))
          and b.product_id = s.product_id and b.currency = s.currency
        union all
        select k.views, k.carts
        from copied k
        where k.product_id = s.product_id and k.currency = s.currency
        union all
        select sum(d.views), sum(d.carts)
        from shop.product_rollup_delta d
        where d.hour >= (select w.first_hour from whole w) and d.hour < (select w.end_hour from whole w)
          and d.product_id = s.product_id and d.currency = s.currency
        union all
        select count(*) filter (where e.event_type = 'product_view'), count(*) filter (where e.event_type = 'add_to_cart')
        from shop.events e
        where e.event_time >= from_time and e.event_time < least(to_time, (select w.first_hour from whole w))
          and (select from_time < w.first_hour from whole w)
          and e.product_id = s.product_id and e.currency = s.currency
        union all
        select count(*) filter (where e.event_type = 'product_view'), count(*) filter (where e.event_type = 'add_to_cart')
        from shop.events e
        where e.event_time >= greatest(from_time, (select w.end_hour from whole w)) and e.event_time < to_time
          and (select w.first_hour <= w.end_hour from whole w)
          and e.product_id = s.product_id and e.currency = s.currency
      ) x
    ) seen
    where s.rank <= max_rows
  ),
  most_seen as (
    select row_number() over (order by case ranked_by when 'carts' then s.carts else s.views end desc,
             s.product_id, s.currency) as rank,
           s.product_id, s.currency, s.views, s.carts, s.purchases, s.quantity, s.revenue
    from shop.product_sales(from_time, to_time) s
    where ranked_by in ('views', 'carts') and (in_currency is null or s.currency = in_currency)
  ),
  ranked as (
    select b.rank, b.product_id, b.currency, coalesce(b.views, 0) as views, coalesce(b.carts, 0) as carts,
           b.purchases, b.quantity, b.revenue
    from best_sellers b
    union all
    select m.rank, m.product_id, m.currency, m.views, m.carts, m.purchases, m.quantity, m.revenue
    from most_seen m
    where m.rank <= max_rows
  )
  select r.rank, r.product_id, p.product_name, p.category, p.brand, r.currency, r.views, r.carts, r.purchases,
         r.quantity, r.revenue
  from ranked r
  left join shop.products p on p.product_id = r.product_id
  order by r.rank
$$;

create or replace function shop.rate_anomalies(
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
  first_part as (
    select date_trunc('hour', least((select min(b.minute) from shop.minute_rollup_base b),
                                    (select min(c.last_minute) from shop.rollup_copies c),
                                    (select min(d.minute) from shop.minute_rollup_delta d)), 'UTC') as hour
  ),
  -- What was unloaded may have left groups at zero; of events that retention dropped, only these tell.
  beginning as (
    select case when (select min(z.events_from) from ingest.horizon z) > f.hour
                     or exists (select from shop.events e
                                where e.event_time < date_trunc('hour', from_time, 'UTC') - weeks * interval '168 hours')
                then f.hour
                else (select min(h.hour) from hourly h where h.events <> 0) end as hour
    from first_part f
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

create or replace function shop.freshness()
  returns table (
    newest_event timestamptz, newest_commit timestamptz, event_age interval, commit_age interval,
    files_under_way bigint, files_last_hour bigint, lag_p50_ms numeric, lag_p95_ms numeric)
  language sql stable parallel safe
as $$
  with newest as (
    select greatest((select max(b.minute) from shop.minute_rollup_base b),
                    (select max(c.last_minute) from shop.rollup_copies c),
                    (select max(d.minute) from shop.minute_rollup_delta d)) + interval '1 minute' as no_event_from
  ),
  -- Of minutes that were unloaded, groups at zero may be left: only then it is looked for further back.
  event as (
    select max(found.event_time) as event_time
    from (
      select e.event_time
      from (select w.width from (values (interval '1 minute'), ('1 day'), ('1000 years')) as w (width) order by w.width) w
      cross join lateral (
        select max(e.event_time) as event_time
        from shop.events e
        where e.event_time < (select n.no_event_from from newest n)
          and e.event_time >= (select n.no_event_from from newest n) - w.width
      ) e
      where e.event_time is not null
      order by w.width
      limit 1
    ) found
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

revoke select, insert on shop.minute_rollup_base, shop.product_rollup_base from clickledger_ingest;
grant insert         on shop.minute_rollup_bulk, shop.product_rollup_bulk to clickledger_ingest;
grant select, insert on shop.rollup_copies                                to clickledger_ingest;
grant select on shop.minute_rollup_bulk, shop.product_rollup_bulk, shop.rollup_copies
  to clickledger_reader, clickledger_operator;
