create function shop.bought_together(
  from_time  timestamptz default now() - interval '28 days',
  to_time    timestamptz default now(),
  min_orders bigint      default 2,
  max_rows   integer     default 20
) returns table (
    product_a text, name_a text, product_b text, name_b text, orders_together bigint, support numeric,
    confidence_a_to_b numeric, confidence_b_to_a numeric, lift numeric)
  language sql stable parallel safe
as $$
  with baskets as materialized (
    select distinct e.order_id, e.product_id
    from shop.events e
    where e.event_time >= from_time and e.event_time < to_time and e.event_type = 'purchase'
  ),
  total as (
    select count(distinct b.order_id)::numeric as orders from baskets b
  ),
  single as (
    select b.product_id, count(*)::numeric as orders from baskets b group by b.product_id
  ),
  pairs as (
    select a.product_id as product_a, b.product_id as product_b, count(*) as orders
    from baskets a
    join baskets b on b.order_id = a.order_id and b.product_id > a.product_id
    group by 1, 2
    having count(*) >= min_orders
  )
  select p.product_a, da.product_name, p.product_b, db.product_name, p.orders,
         round(p.orders / t.orders, 6), round(p.orders / sa.orders, 4), round(p.orders / sb.orders, 4),
         round(p.orders * t.orders / (sa.orders * sb.orders), 4)
  from pairs p
  cross join total t
  join single sa on sa.product_id = p.product_a
  join single sb on sb.product_id = p.product_b
  left join shop.products da on da.product_id = p.product_a
  left join shop.products db on db.product_id = p.product_b
  order by p.orders desc, p.orders * t.orders / (sa.orders * sb.orders) desc, p.product_a, p.product_b
  limit max_rows
$$;
comment on function shop.bought_together(timestamptz, timestamptz, bigint, integer) is
  'Products that stand in the same orders. support: share of all orders with both; confidence_a_to_b: of the orders with a, the share that has b too (Agrawal et al. 1993); lift: how many times more often than if they had nothing to do with each other (Brin et al. 1997), 1 means so. In at least min_orders orders. Scans the events of the window. Example: select * from shop.bought_together(min_orders => 5) order by lift desc. One row per pair of products, most orders first.';
grant execute on function shop.bought_together(timestamptz, timestamptz, bigint, integer)
  to clickledger_reader, clickledger_operator;
