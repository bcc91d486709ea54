create function shop.top_products(
  ranked_by   shop.product_measure default 'revenue',
  from_time   timestamptz          default now() - interval '24 hours',
  to_time     timestamptz          default now(),
  in_currency text                 default null,
  max_rows    integer              default 10
) returns table (
    rank bigint, product_id text, product_name text, category text, brand text, currency text,
    views bigint, carts bigint, purchases bigint, quantity bigint, revenue numeric)
  language sql stable parallel safe
as $$
  with ranked as (
    select row_number() over (order by
             case ranked_by when 'views' then s.views when 'carts' then s.carts when 'purchases' then s.purchases
                            when 'quantity' then s.quantity else s.revenue end desc,
             s.product_id, s.currency) as rank,
           s.product_id, s.currency, s.views, s.carts, s.purchases, s.quantity, s.revenue
    from shop.product_sales(from_time, to_time) s
    where in_currency is null or s.currency = in_currency
  )
  select r.rank, r.product_id, p.product_name, p.category, p.brand, r.currency, r.views, r.carts, r.purchases,
         r.quantity, r.revenue
  from ranked r
  left join shop.products p on p.product_id = r.product_id
  where r.rank <= max_rows
  order by r.rank
$$;
comment on function shop.top_products(shop.product_measure, timestamptz, timestamptz, text, integer) is
  'The products with most views, carts, purchases (lines of orders), quantity (pieces) or revenue; equals in the order of their ids. From the rollup by hour: quick, live to the last commit. Example: select * from shop.top_products(''views'', now() - interval ''7 days''). One row per product and currency, best first.';
grant execute on function shop.top_products(shop.product_measure, timestamptz, timestamptz, text, integer)
  to clickledger_reader, clickledger_operator;
