create function shop.orders(
  from_time timestamptz default now() - interval '24 hours',
  to_time   timestamptz default now()
) returns table (
    order_id uuid, ordered_at timestamptz, user_id text, session_id uuid, currency text, lines bigint,
    quantity bigint, revenue numeric, device text, country text)
  language sql stable parallel safe
as $$
  select e.order_id, min(e.event_time), min(e.user_id), (array_agg(e.session_id order by e.event_time, e.event_id))[1],
         e.currency::text, count(*), sum(e.quantity)::bigint, sum(e.price * e.quantity), min(e.device),
         min(e.country::text)
  from shop.events e
  where e.event_time >= from_time and e.event_time < to_time and e.event_type = 'purchase'
  group by e.order_id, e.currency
$$;
comment on function shop.orders(timestamptz, timestamptz) is
  'Orders: the purchase events of one order_id together. revenue: sum of price times quantity. Scans the events of the window. Example: select * from shop.orders() order by revenue desc limit 20. One row per order and currency.';
grant execute on function shop.orders(timestamptz, timestamptz)
  to clickledger_reader, clickledger_operator;
