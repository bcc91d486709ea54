create function shop.top_products(
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
comment on function shop.top_products(shop.product_measure, timestamptz, timestamptz, text, integer) is
  'The products with most views, carts, purchases (lines of orders), quantity (pieces) or revenue; equals in the order of their ids. Revenue of several currencies is ranked by its number: give in_currency where there are several. Ranked by what sells, products that were not sold are left out. From the rollup by hour, live to the last commit; what sells is quick in windows of whole hours, or up to now (all of the hour under way). Example: select * from shop.top_products(''views'', now() - interval ''7 days''). One row per product and currency, best first.';
grant execute on function shop.top_products(shop.product_measure, timestamptz, timestamptz, text, integer)
  to clickledger_reader, clickledger_operator;
