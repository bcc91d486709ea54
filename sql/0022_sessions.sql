create function shop.sessions(
  from_time timestamptz default now() - interval '24 hours',
  to_time   timestamptz default now()
) returns table (
    session_id uuid, user_id text, device text, country text, started_at timestamptz, ended_at timestamptz,
    duration interval, events bigint, views bigint, products bigint, entry_product_id text, exit_product_id text,
    carted boolean, converted boolean)
  language sql stable parallel safe
as $$
  select e.session_id, min(e.user_id), min(e.device), min(e.country::text), min(e.event_time), max(e.event_time),
         max(e.event_time) - min(e.event_time), count(*),
         count(*) filter (where e.event_type = 'product_view'), count(distinct e.product_id),
         (array_agg(e.product_id order by e.event_time, e.event_id))[1],
         (array_agg(e.product_id order by e.event_time desc, e.event_id desc))[1],
         bool_or(e.event_type = 'add_to_cart'), bool_or(e.event_type = 'purchase')
  from shop.events e
  where e.event_time >= from_time and e.event_time < to_time
  group by e.session_id
$$;
comment on function shop.sessions(timestamptz, timestamptz) is
  'Sessions by their events in the window: duration from the first to the last of them, depth (events, views, distinct products), first and last product, whether something was put into the cart, and purchased (converted). Scans the events of the window. Example: select avg(duration), avg(events) from shop.sessions() where converted. One row per session.';
grant execute on function shop.sessions(timestamptz, timestamptz)
  to clickledger_reader, clickledger_operator;
