-- A large load adds its groups to the bases at once where these have nothing of a minute or hour yet: as deltas they
-- would be written, read, deleted and written again. So a base may have several rows of a group, from loads that did not
-- see each other. Their sum counts, and the folder puts one row in the place of all of a group that it has deltas of:
-- it is no longer the only one that writes to the bases.

alter table shop.minute_rollup_base drop constraint minute_rollup_base_pkey;
alter table shop.product_rollup_base drop constraint product_rollup_base_pkey;
-- Not unique: nobody waits here for a load that stopped half-way.
create index minute_rollup_base_groups on shop.minute_rollup_base (minute, event_type, category, device, currency);
create index product_rollup_base_groups on shop.product_rollup_base (hour, product_id, currency);
-- Groups at zero are left out when they are summed.
drop index shop.minute_rollup_base_zero;
drop index shop.product_rollup_base_zero;

comment on table shop.minute_rollup_base is
  'Part of shop.minute_rollup that was folded, or copied at once by a large load. One row, or a few to be summed, per minute, event type, category, device and currency.';
comment on table shop.product_rollup_base is
  'Part of shop.product_rollup that was folded, or copied at once by a large load. One row, or a few to be summed, per hour (UTC), product and currency.';
comment on view shop.minute_rollup_parts is
  'Base and deltas of shop.minute_rollup side by side: sums over it are the same, and quicker. A few rows per group, to be summed.';
comment on view shop.product_rollup_parts is
  'Base and deltas of shop.product_rollup side by side: sums over it are the same, and quicker. A few rows per group, to be summed.';
comment on index shop.minute_rollup_base_groups is 'Serves: groups of a period, and the folder that looks for a group. Paid by the folder, and by large loads.';
comment on index shop.product_rollup_base_groups is 'Serves: products of a period, and the folder that looks for a group. Paid by the folder, and by large loads.';

create or replace function shop.fold_rollups() returns bigint
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  set work_mem = '64MB' set enable_hashjoin = off set enable_mergejoin = off
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
  changed as (
    select t.minute, t.event_type, t.category, t.device, t.currency,
           sum(t.events) as events, sum(t.quantity) as quantity, sum(t.revenue) as revenue,
           count(*) as deltas
    from taken t
    group by t.minute, t.event_type, t.category, t.device, t.currency
    order by t.minute, t.event_type, t.category, t.device, t.currency
  ),
  replaced as (
    delete from shop.minute_rollup_base b
    using changed c
    where b.minute = c.minute and b.event_type = c.event_type and b.category = c.category
      and b.device = c.device and b.currency = c.currency
    returning b.minute, b.event_type, b.category, b.device, b.currency, b.events, b.quantity, b.revenue
  ),
  summed as (
    insert into shop.minute_rollup_base (minute, event_type, category, device, currency, events, quantity, revenue)
    select p.minute, p.event_type, p.category, p.device, p.currency,
           sum(p.events), sum(p.quantity), sum(p.revenue)
    from (
      select c.minute, c.event_type, c.category, c.device, c.currency, c.events, c.quantity, c.revenue
      from changed c
      union all
      select r.minute, r.event_type, r.category, r.device, r.currency, r.events, r.quantity, r.revenue
      from replaced r
    ) p
    group by p.minute, p.event_type, p.category, p.device, p.currency
    -- A batch may hold what an unload took away before what the load had brought: a group without events may still
    -- owe its pieces and revenue.
    having sum(p.events) <> 0 or sum(p.quantity) <> 0 or sum(p.revenue) <> 0
    order by p.minute, p.event_type, p.category, p.device, p.currency
  )
  select coalesce(sum(c.deltas), 0) from changed c into folded_minutes;
  with taken as (
    delete from shop.product_rollup_delta d
    where d.ctid = any (array(select x.ctid from shop.product_rollup_delta x limit at_most))
    returning d.hour, d.product_id, d.currency, d.views, d.carts, d.removals, d.purchases, d.quantity, d.revenue
  ),
  changed as (
    select t.hour, t.product_id, t.currency,
           sum(t.views) as views, sum(t.carts) as carts, sum(t.removals) as removals,
           sum(t.purchases) as purchases, sum(t.quantity) as quantity, sum(t.revenue) as revenue,
           count(*) as deltas
    from taken t
    group by t.hour, t.product_id, t.currency
    order by t.hour, t.product_id, t.currency
  ),
  replaced as (
    delete from shop.product_rollup_base b
    using changed c
    where b.hour = c.hour and b.product_id = c.product_id and b.currency = c.currency
    returning b.hour, b.product_id, b.currency, b.views, b.carts, b.removals, b.purchases, b.quantity, b.revenue
  ),
  summed as (
    insert into shop.product_rollup_base
      (hour, product_id, currency, views, carts, removals, purchases, quantity, revenue)
    select p.hour, p.product_id, p.currency, sum(p.views), sum(p.carts), sum(p.removals), sum(p.purchases),
           sum(p.quantity), sum(p.revenue)
    from (
      select c.hour, c.product_id, c.currency, c.views, c.carts, c.removals, c.purchases, c.quantity, c.revenue
      from changed c
      union all
      select r.hour, r.product_id, r.currency, r.views, r.carts, r.removals, r.purchases, r.quantity, r.revenue
      from replaced r
    ) p
    group by p.hour, p.product_id, p.currency
    having sum(p.views) <> 0 or sum(p.carts) <> 0 or sum(p.removals) <> 0 or sum(p.purchases) <> 0
        or sum(p.quantity) <> 0 or sum(p.revenue) <> 0
    order by p.hour, p.product_id, p.currency
  )
  select coalesce(sum(c.deltas), 0) from changed c into folded_products;
  return folded_minutes + folded_products;
end
$$;

grant select, insert on shop.minute_rollup_base, shop.product_rollup_base to clickledger_ingest;
