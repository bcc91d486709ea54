create function shop.cart_abandonment(
  from_time timestamptz default now() - interval '7 days',
  to_time   timestamptz default now(),
  idle      interval    default '30 minutes'
) returns table (
    currency text, carts bigint, purchased bigint, emptied bigint, open bigint, abandoned bigint,
    abandonment_rate numeric, value_left numeric, average_value_left numeric)
  language sql stable parallel safe
as $$
  select c.currency, count(*),
         count(*) filter (where c.state = 'purchased'), count(*) filter (where c.state = 'emptied'),
         count(*) filter (where c.state = 'open'), count(*) filter (where c.state = 'abandoned'),
         round(count(*) filter (where c.state in ('abandoned', 'emptied'))::numeric
               / nullif(count(*) filter (where c.state <> 'open'), 0), 4),
         coalesce(sum(c.value_left) filter (where c.state = 'abandoned'), 0),
         round(avg(c.value_left) filter (where c.state = 'abandoned'), 2)
  from shop.carts(from_time, to_time, idle) c
  group by c.currency
  order by count(*) desc, c.currency
$$;
comment on function shop.cart_abandonment(timestamptz, timestamptz, interval) is
  'Cart abandonment rate: 1 - purchased carts / all carts (the Baymard Institute''s definition), carts that are still open left out; with the value left in carts that were abandoned full. See shop.carts() for the states. Scans the events of the window. Example: select * from shop.cart_abandonment(now() - interval ''28 days''). One row per currency.';
grant execute on function shop.cart_abandonment(timestamptz, timestamptz, interval)
  to clickledger_reader, clickledger_operator;
