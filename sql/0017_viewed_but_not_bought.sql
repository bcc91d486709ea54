create function shop.viewed_but_not_bought(
  from_time timestamptz default date_trunc('hour', now() - interval '7 days'),
  to_time   timestamptz default now(),
  min_views bigint      default 20,
  max_rows  integer     default 10
) returns table (
    product_id text, product_name text, category text, brand text, views bigint, purchases bigint,
    purchases_per_view numeric, usual_purchases_per_view numeric, missing_purchases numeric)
  language sql stable parallel safe
as $$
  with products as (
    select s.product_id, sum(s.views)::bigint as views, sum(s.purchases)::bigint as purchases
    from shop.product_sales(from_time, to_time) s
    group by s.product_id
  ),
  usual as (
    select sum(p.purchases) / nullif(sum(p.views), 0) as purchases_per_view from products p
  )
  select p.product_id, d.product_name, d.category, d.brand, p.views, p.purchases,
         round(p.purchases::numeric / nullif(p.views, 0), 4), round(u.purchases_per_view, 4),
         round(p.views * u.purchases_per_view - p.purchases, 1)
  from products p
  cross join usual u
  left join shop.products d on d.product_id = p.product_id
  where p.views >= min_views and p.purchases < p.views * u.purchases_per_view
  order by p.views * u.purchases_per_view - p.purchases desc, p.product_id
  limit max_rows
$$;
comment on function shop.viewed_but_not_bought(timestamptz, timestamptz, bigint, integer) is
  'Products that are much viewed but little bought: those that miss most purchases against the shop''s own ratio of purchases to views in the window; with at least min_views. From the rollup by hour. Example: select * from shop.viewed_but_not_bought(now() - interval ''28 days'', min_views => 100). One row per product, most purchases missing first.';
grant execute on function shop.viewed_but_not_bought(timestamptz, timestamptz, bigint, integer)
  to clickledger_reader, clickledger_operator;
