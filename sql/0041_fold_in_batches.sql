-- A fold costs what it folds, whatever the size of the bases: each group is looked up by its key, in key order, where a
-- hash join would read the whole base. And it takes only so many deltas, so that it ends long before a transaction may
-- take no longer, however many a large load has left.
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
comment on function shop.fold_rollups() is
  'Moves up to 200,000 deltas of each rollup into its base table and returns how many it moved, 0 when none are left; never blocks a load.';

create function shop.count_deltas() returns bigint
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select (select count(*) from (select from shop.minute_rollup_delta d limit 500000) m)
       + (select count(*) from (select from shop.product_rollup_delta d limit 500000) p)
$$;
comment on function shop.count_deltas() is
  'How many deltas of the rollups wait to be folded, counted up to 500,000 of each.';
revoke execute on function shop.count_deltas() from public;
grant execute on function shop.count_deltas() to clickledger_ingest;
