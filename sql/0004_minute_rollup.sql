-- What a dashboard asks every few seconds is answered from rollups. Loads append deltas, so that a
-- large file never makes a small one wait for a shared row; the folder moves deltas into the base.

create table shop.minute_rollup_base (
  minute     timestamptz   not null,
  event_type text          not null,
  category   text          not null,
  device     text          not null,
  currency   char(3)       not null,
  events     bigint        not null,
  quantity   bigint        not null,
  revenue    numeric(20,2) not null,
  primary key (minute, event_type, category, device, currency)
);
comment on table  shop.minute_rollup_base            is 'Folded part of shop.minute_rollup. One row per minute, event type, category, device and currency.';
comment on column shop.minute_rollup_base.minute     is 'Start of the minute.';
comment on column shop.minute_rollup_base.event_type is 'Event type.';
comment on column shop.minute_rollup_base.category   is 'Category; empty where events have none.';
comment on column shop.minute_rollup_base.device     is 'Device.';
comment on column shop.minute_rollup_base.currency   is 'Currency of revenue; sums across currencies mean nothing.';
comment on column shop.minute_rollup_base.events     is 'Number of events.';
comment on column shop.minute_rollup_base.quantity   is 'Sum of quantity.';
comment on column shop.minute_rollup_base.revenue    is 'Sum of price times quantity.';

-- Lets the folder find the groups that an unload brought to zero.
create index minute_rollup_base_zero on shop.minute_rollup_base (minute) where events = 0;

create table shop.minute_rollup_delta (
  minute     timestamptz   not null,
  event_type text          not null,
  category   text          not null,
  device     text          not null,
  currency   char(3)       not null,
  events     bigint        not null,
  quantity   bigint        not null,
  revenue    numeric(20,2) not null
);
comment on table  shop.minute_rollup_delta            is 'Changes not yet folded into shop.minute_rollup_base. One row per group and load transaction.';
comment on column shop.minute_rollup_delta.minute     is 'Start of the minute.';
comment on column shop.minute_rollup_delta.event_type is 'Event type.';
comment on column shop.minute_rollup_delta.category   is 'Category.';
comment on column shop.minute_rollup_delta.device     is 'Device.';
comment on column shop.minute_rollup_delta.currency   is 'Currency of revenue.';
comment on column shop.minute_rollup_delta.events     is 'Change of the number of events; negative on unload.';
comment on column shop.minute_rollup_delta.quantity   is 'Change of the sum of quantity.';
comment on column shop.minute_rollup_delta.revenue    is 'Change of the sum of price times quantity.';

create view shop.minute_rollup as
select r.minute, r.event_type, r.category, r.device, r.currency,
       sum(r.events)::bigint          as events,
       sum(r.quantity)::bigint        as quantity,
       sum(r.revenue)::numeric(20,2)  as revenue
from (
  select b.minute, b.event_type, b.category, b.device, b.currency, b.events, b.quantity, b.revenue
  from shop.minute_rollup_base b
  union all
  select d.minute, d.event_type, d.category, d.device, d.currency, d.events, d.quantity, d.revenue
  from shop.minute_rollup_delta d
) r
group by r.minute, r.event_type, r.category, r.device, r.currency
having sum(r.events) <> 0;
comment on view   shop.minute_rollup            is 'Events, quantity and revenue, live to the last commit. One row per minute, event type, category, device and currency. Revenue counts purchases when filtered by event_type = ''purchase''.';
comment on column shop.minute_rollup.minute     is 'Start of the minute.';
comment on column shop.minute_rollup.event_type is 'Event type.';
comment on column shop.minute_rollup.category   is 'Category; empty where events have none.';
comment on column shop.minute_rollup.device     is 'Device.';
comment on column shop.minute_rollup.currency   is 'Currency of revenue.';
comment on column shop.minute_rollup.events     is 'Number of events.';
comment on column shop.minute_rollup.quantity   is 'Sum of quantity.';
comment on column shop.minute_rollup.revenue    is 'Sum of price times quantity.';

create function shop.fold_rollups() returns bigint
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  folded bigint;
begin
  -- One folder at a time; a second one has nothing to add.
  if not pg_try_advisory_xact_lock(hashtext('shop.fold_rollups')) then
    return 0;
  end if;
  with taken as (
    delete from shop.minute_rollup_delta d
    returning d.minute, d.event_type, d.category, d.device, d.currency, d.events, d.quantity, d.revenue
  ),
  summed as (
    select t.minute, t.event_type, t.category, t.device, t.currency,
           sum(t.events) as events, sum(t.quantity) as quantity, sum(t.revenue) as revenue,
           count(*) as deltas
    from taken t
    group by t.minute, t.event_type, t.category, t.device, t.currency
  ),
  upserted as (
    insert into shop.minute_rollup_base as b
      (minute, event_type, category, device, currency, events, quantity, revenue)
    select s.minute, s.event_type, s.category, s.device, s.currency, s.events, s.quantity, s.revenue
    from summed s
    on conflict (minute, event_type, category, device, currency) do update
      set events   = b.events   + excluded.events,
          quantity = b.quantity + excluded.quantity,
          revenue  = b.revenue  + excluded.revenue
  )
  select coalesce(sum(s.deltas), 0) from summed s into folded;
  -- Events are never negative, so a group at zero has zero quantity and revenue as well.
  delete from shop.minute_rollup_base b where b.events = 0;
  return folded;
end
$$;
comment on function shop.fold_rollups() is
  'Moves the deltas of the rollups into their base tables and returns how many; never blocks a load.';
