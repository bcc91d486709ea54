create function shop.session_funnel(
  from_time timestamptz        default now() - interval '7 days',
  to_time   timestamptz        default now(),
  split_by  shop.session_split default 'all'
) returns table (
    value text, viewed bigint, carted bigint, purchased bigint,
    view_to_cart numeric, cart_to_purchase numeric, view_to_purchase numeric)
  language sql stable parallel safe
as $$
  with steps as (
    select case split_by when 'category' then e.category when 'device' then e.device
                         when 'country' then e.country::text else 'all' end as value,
           e.session_id, e.event_type, e.event_time
    from shop.events e
    where e.event_time >= from_time and e.event_time < to_time
      and e.event_type in ('product_view', 'add_to_cart', 'purchase')
  ),
  after_view as (
    select s.value, s.session_id, s.event_type, s.event_time,
           min(s.event_time) filter (where s.event_type = 'product_view')
             over (partition by s.value, s.session_id) as viewed_at
    from steps s
  ),
  after_cart as (
    select a.value, a.session_id, a.event_type, a.event_time, a.viewed_at,
           min(a.event_time) filter (where a.event_type = 'add_to_cart' and a.event_time >= a.viewed_at)
             over (partition by a.value, a.session_id) as carted_at
    from after_view a
  ),
  reached as (
    select a.value, a.session_id, min(a.viewed_at) as viewed_at, min(a.carted_at) as carted_at,
           bool_or(a.event_type = 'purchase' and a.event_time >= a.carted_at) as has_purchased
    from after_cart a
    where a.viewed_at is not null
    group by a.value, a.session_id
  ),
  counted as (
    select r.value, count(*) as viewed, count(r.carted_at) as carted,
           count(*) filter (where r.has_purchased) as purchased
    from reached r
    group by r.value
  )
  select n.value, n.viewed, n.carted, n.purchased,
         round(n.carted::numeric / nullif(n.viewed, 0), 4),
         round(n.purchased::numeric / nullif(n.carted, 0), 4),
         round(n.purchased::numeric / nullif(n.viewed, 0), 4)
  from counted n
  order by n.viewed desc, n.value
$$;
comment on function shop.session_funnel(timestamptz, timestamptz, shop.session_split) is
  'Sessions that viewed a product, then put one into the cart, then purchased: a closed funnel, each step at or after the first of the one before (as funnel explorations of web analytics count). split_by: all, category, device or country; a session takes part in every value that it has events of. Scans the events of the window. Example: select * from shop.session_funnel(now() - interval ''1 day'', now(), ''device''). One row per value, most sessions first.';
grant execute on function shop.session_funnel(timestamptz, timestamptz, shop.session_split)
  to clickledger_reader, clickledger_operator;
