create function shop.brand_performance(
  from_time timestamptz default date_trunc('hour', now() - interval '7 days'),
  to_time   timestamptz default now()
) returns table (
    brand text, currency text, products bigint, views bigint, carts bigint, purchases bigint, quantity bigint,
    revenue numeric, carts_per_view numeric, purchases_per_view numeric, revenue_share numeric)
  language sql stable parallel safe
as $$
  with totals as (
    select p.brand, s.currency, count(*) as products, sum(s.views)::bigint as views, sum(s.carts)::bigint as carts,
           sum(s.purchases)::bigint as purchases, sum(s.quantity)::bigint as quantity, sum(s.revenue) as revenue
    from shop.product_sales(from_time, to_time) s
    join shop.products p on p.product_id = s.product_id
    group by p.brand, s.currency
  )
  select t.brand, t.currency, t.products, t.views, t.carts, t.purchases, t.quantity, t.revenue,
         round(t.carts::numeric / nullif(t.views, 0), 4),
         round(t.purchases::numeric / nullif(t.views, 0), 4),
         round(t.revenue / nullif(sum(t.revenue) over (partition by t.currency), 0), 4)
  from totals t
  order by t.revenue desc, t.views desc, t.brand, t.currency
$$;
comment on function shop.brand_performance(timestamptz, timestamptz) is
  'Views, carts, purchases and revenue of brands; a product counts for the brand that shop.products tells, which is that of its newest event. An empty brand is one of its own. From the rollup by hour. Example: select * from shop.brand_performance(now() - interval ''28 days'') limit 10. One row per brand and currency, most revenue first.';
grant execute on function shop.brand_performance(timestamptz, timestamptz)
  to clickledger_reader, clickledger_operator;
