create function shop.carts(
  from_time timestamptz default now() - interval '24 hours',
  to_time   timestamptz default now(),
  idle      interval    default '30 minutes'
) returns table (
    session_id uuid, user_id text, currency text, state text, first_added_at timestamptz, last_event_at timestamptz,
    products_left bigint, pieces_left bigint, value_left numeric)
  language sql stable parallel safe
as $$
  with sessions as (
    select e.session_id, min(e.user_id) as user_id, max(e.event_time) as last_event_at,
           bool_or(e.event_type = 'purchase') as has_purchase
    from shop.events e
    where e.event_time >= from_time and e.event_time < to_time
    group by e.session_id
    having bool_or(e.event_type = 'add_to_cart')
  ),
  items as (
    select e.session_id, e.currency::text as currency, e.product_id, min(e.event_time) as first_added_at,
           greatest(sum(case e.event_type when 'add_to_cart' then e.quantity else -e.quantity end), 0) as pieces,
           (array_agg(e.price order by e.event_time desc, e.event_id desc)
              filter (where e.event_type = 'add_to_cart'))[1] as price
    from shop.events e
    where e.event_time >= from_time and e.event_time < to_time
      and e.event_type in ('add_to_cart', 'remove_from_cart')
    group by 1, 2, 3
    having bool_or(e.event_type = 'add_to_cart')
  ),
  filled as (
    select i.session_id, i.currency, min(i.first_added_at) as first_added_at,
           count(*) filter (where i.pieces > 0) as products, sum(i.pieces)::bigint as pieces,
           sum(i.pieces * i.price) as value
    from items i
    group by i.session_id, i.currency
  )
  select s.session_id, s.user_id, f.currency,
         case when s.has_purchase then 'purchased'
              when f.pieces = 0 then 'emptied'
              when s.last_event_at > to_time - idle then 'open'
              else 'abandoned' end,
         f.first_added_at, s.last_event_at,
         case when s.has_purchase then 0 else f.products end,
         case when s.has_purchase then 0 else f.pieces end,
         case when s.has_purchase then 0 else f.value end
  from sessions s
  join filled f on f.session_id = s.session_id
$$;
comment on function shop.carts(timestamptz, timestamptz, interval) is
  'Carts: sessions that put something into the cart. state: purchased (the session purchased), emptied (everything was removed again), open (its last event is within idle of to_time), else abandoned; what is left is valued at the price of the last add_to_cart. Scans the events of the window. Example: select * from shop.carts() where state = ''abandoned'' order by value_left desc limit 20. One row per session and currency.';
grant execute on function shop.carts(timestamptz, timestamptz, interval)
  to clickledger_reader, clickledger_operator;
