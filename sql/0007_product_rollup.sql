-- What sells, by hour. Like the rollup by minute: loads append deltas, the folder moves them into the base.

create table shop.products (
  product_id   text        primary key,
  product_name text        not null,
  category     text        not null,
  brand        text        not null,
  seen_at      timestamptz not null
);
comment on table  shop.products              is 'Products as the newest event describes them; kept when events are unloaded or dropped. One row per product.';
comment on column shop.products.product_id   is 'The product.';
comment on column shop.products.product_name is 'Its name.';
comment on column shop.products.category     is 'Its category, levels joined by a dot; may be empty.';
comment on column shop.products.brand        is 'Its brand; may be empty.';
comment on column shop.products.seen_at      is 'Time of the event that said so.';

create table shop.product_rollup_base (
  hour       timestamptz   not null,
  product_id text          not null,
  currency   char(3)       not null,
  views      bigint        not null,
  carts      bigint        not null,
  removals   bigint        not null,
  purchases  bigint        not null,
  quantity   bigint        not null,
  revenue    numeric(20,2) not null,
  primary key (hour, product_id, currency)
);
comment on table  shop.product_rollup_base            is 'Folded part of shop.product_rollup. One row per hour (UTC), product and currency.';
comment on column shop.product_rollup_base.hour       is 'Start of the hour, UTC.';
comment on column shop.product_rollup_base.product_id is 'Product.';
comment on column shop.product_rollup_base.currency   is 'Currency of revenue; sums across currencies mean nothing.';
comment on column shop.product_rollup_base.views      is 'Number of product_view events.';
comment on column shop.product_rollup_base.carts      is 'Number of add_to_cart events.';
comment on column shop.product_rollup_base.removals   is 'Number of remove_from_cart events.';
comment on column shop.product_rollup_base.purchases  is 'Number of purchase events: lines of orders.';
comment on column shop.product_rollup_base.quantity   is 'Pieces purchased.';
comment on column shop.product_rollup_base.revenue    is 'Sum of price times quantity of purchases.';

-- Lets the folder find the groups that an unload brought to zero.
create index product_rollup_base_zero on shop.product_rollup_base (hour)
  where views = 0 and carts = 0 and removals = 0 and purchases = 0;

create table shop.product_rollup_delta (
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
comment on table  shop.product_rollup_delta            is 'Changes not yet folded into shop.product_rollup_base. One row per group and load transaction.';
comment on column shop.product_rollup_delta.hour       is 'Start of the hour, UTC.';
comment on column shop.product_rollup_delta.product_id is 'Product.';
comment on column shop.product_rollup_delta.currency   is 'Currency of revenue.';
comment on column shop.product_rollup_delta.views      is 'Change of the number of product_view events; negative on unload.';
comment on column shop.product_rollup_delta.carts      is 'Change of the number of add_to_cart events.';
comment on column shop.product_rollup_delta.removals   is 'Change of the number of remove_from_cart events.';
comment on column shop.product_rollup_delta.purchases  is 'Change of the number of purchase events.';
comment on column shop.product_rollup_delta.quantity   is 'Change of the pieces purchased.';
comment on column shop.product_rollup_delta.revenue    is 'Change of the revenue of purchases.';

create view shop.product_rollup as
select r.hour, r.product_id, r.currency,
       sum(r.views)::bigint          as views,
       sum(r.carts)::bigint          as carts,
       sum(r.removals)::bigint       as removals,
       sum(r.purchases)::bigint      as purchases,
       sum(r.quantity)::bigint       as quantity,
       sum(r.revenue)::numeric(20,2) as revenue
from (
  select b.hour, b.product_id, b.currency, b.views, b.carts, b.removals, b.purchases, b.quantity, b.revenue
  from shop.product_rollup_base b
  union all
  select d.hour, d.product_id, d.currency, d.views, d.carts, d.removals, d.purchases, d.quantity, d.revenue
  from shop.product_rollup_delta d
) r
group by r.hour, r.product_id, r.currency
having sum(r.views) <> 0 or sum(r.carts) <> 0 or sum(r.removals) <> 0 or sum(r.purchases) <> 0;
comment on view   shop.product_rollup            is 'What happened to each product, live to the last commit. One row per hour (UTC), product and currency.';
comment on column shop.product_rollup.hour       is 'Start of the hour, UTC.';
comment on column shop.product_rollup.product_id is 'Product; shop.products describes it.';
comment on column shop.product_rollup.currency   is 'Currency of revenue.';
comment on column shop.product_rollup.views      is 'Number of product_view events.';
comment on column shop.product_rollup.carts      is 'Number of add_to_cart events.';
comment on column shop.product_rollup.removals   is 'Number of remove_from_cart events.';
comment on column shop.product_rollup.purchases  is 'Number of purchase events: lines of orders.';
comment on column shop.product_rollup.quantity   is 'Pieces purchased.';
comment on column shop.product_rollup.revenue    is 'Sum of price times quantity of purchases.';

-- For sums, the grouping in between is work for nothing: it takes longer than all the rest.
create view shop.minute_rollup_parts as
select b.minute, b.event_type, b.category, b.device, b.currency, b.events, b.quantity, b.revenue
from shop.minute_rollup_base b
union all
select d.minute, d.event_type, d.category, d.device, d.currency, d.events, d.quantity, d.revenue
from shop.minute_rollup_delta d;
comment on view   shop.minute_rollup_parts            is 'Base and deltas of shop.minute_rollup side by side: sums over it are the same, and quicker. One row per group and part.';
comment on column shop.minute_rollup_parts.minute     is 'Start of the minute.';
comment on column shop.minute_rollup_parts.event_type is 'Event type.';
comment on column shop.minute_rollup_parts.category   is 'Category; empty where events have none.';
comment on column shop.minute_rollup_parts.device     is 'Device.';
comment on column shop.minute_rollup_parts.currency   is 'Currency of revenue.';
comment on column shop.minute_rollup_parts.events     is 'Number of events; negative where an unload took some away.';
comment on column shop.minute_rollup_parts.quantity   is 'Sum of quantity.';
comment on column shop.minute_rollup_parts.revenue    is 'Sum of price times quantity.';

create view shop.product_rollup_parts as
select b.hour, b.product_id, b.currency, b.views, b.carts, b.removals, b.purchases, b.quantity, b.revenue
from shop.product_rollup_base b
union all
select d.hour, d.product_id, d.currency, d.views, d.carts, d.removals, d.purchases, d.quantity, d.revenue
from shop.product_rollup_delta d;
comment on view   shop.product_rollup_parts            is 'Base and deltas of shop.product_rollup side by side: sums over it are the same, and quicker. One row per group and part.';
comment on column shop.product_rollup_parts.hour       is 'Start of the hour, UTC.';
comment on column shop.product_rollup_parts.product_id is 'Product.';
comment on column shop.product_rollup_parts.currency   is 'Currency of revenue.';
comment on column shop.product_rollup_parts.views      is 'Number of product_view events; negative where an unload took some away.';
comment on column shop.product_rollup_parts.carts      is 'Number of add_to_cart events.';
comment on column shop.product_rollup_parts.removals   is 'Number of remove_from_cart events.';
comment on column shop.product_rollup_parts.purchases  is 'Number of purchase events.';
comment on column shop.product_rollup_parts.quantity   is 'Pieces purchased.';
comment on column shop.product_rollup_parts.revenue    is 'Sum of price times quantity of purchases.';

-- Few products of an hour are purchased: the ranking of what sells reads these alone.
create index product_rollup_base_sold on shop.product_rollup_base (hour)
  include (product_id, currency, purchases, quantity, revenue) where purchases <> 0;

-- The folder is alone (advisory lock) and the only one that writes to the bases, so it can insert what it does not
-- find there: half the cost of an insert that has to watch for conflicts.
create or replace function shop.fold_rollups() returns bigint
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  folded_minutes  bigint;
  folded_products bigint;
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
    returning d.hour, d.product_id, d.currency, d.views, d.carts, d.removals, d.purchases, d.quantity, d.revenue
  ),
  summed as (
    select t.hour, t.product_id, t.currency,
           sum(t.views) as views, sum(t.carts) as carts, sum(t.removals) as removals,
           sum(t.purchases) as purchases, sum(t.quantity) as quantity, sum(t.revenue) as revenue,
           count(*) as deltas
    from taken t
    group by t.hour, t.product_id, t.currency
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
  -- Events are never negative, so a group at zero has zero quantity and revenue as well.
  delete from shop.minute_rollup_base b where b.events = 0;
  delete from shop.product_rollup_base b
  where b.views = 0 and b.carts = 0 and b.removals = 0 and b.purchases = 0;
  return folded_minutes + folded_products;
end
$$;
comment on function shop.fold_rollups() is
  'Moves the deltas of the rollups into their base tables and returns how many; never blocks a load.';

grant insert                 on shop.product_rollup_delta to clickledger_ingest;
grant select, insert, update on shop.products             to clickledger_ingest;
grant select on shop.products, shop.product_rollup_base, shop.product_rollup_delta, shop.product_rollup,
                shop.minute_rollup_parts, shop.product_rollup_parts
  to clickledger_reader, clickledger_operator;
