create function shop.customer_value(
  from_time   timestamptz default now() - interval '365 days',
  to_time     timestamptz default now(),
  in_currency text        default null
) returns table (
    user_id text, currency text, recency_days integer, frequency bigint, monetary numeric,
    r integer, f integer, m integer, segment text)
  language sql stable parallel safe
as $$
  with customers as (
    select o.user_id, o.currency, max(o.ordered_at) as last_ordered_at, count(*) as frequency, sum(o.revenue) as monetary
    from shop.orders(from_time, to_time) o
    where in_currency is null or o.currency = in_currency
    group by o.user_id, o.currency
  ),
  scored as (
    select c.user_id, c.currency, c.last_ordered_at, c.frequency, c.monetary,
           ntile(5) over (partition by c.currency order by c.last_ordered_at, c.user_id)       as r,
           ntile(5) over (partition by c.currency order by c.frequency, c.monetary, c.user_id) as f,
           ntile(5) over (partition by c.currency order by c.monetary, c.user_id)              as m
    from customers c
  )
  select s.user_id, s.currency, floor(extract(epoch from to_time - s.last_ordered_at) / 86400)::integer,
         s.frequency, s.monetary, s.r, s.f, s.m,
         case when s.r >= 4 and s.f >= 4 then 'champions'
              when s.r >= 3 and s.f >= 3 then 'loyal'
              when s.r >= 4              then 'new'
              when s.r = 3               then 'promising'
              when s.f >= 4              then 'cannot lose'
              when s.f = 3               then 'at risk'
              else                            'hibernating' end
  from scored s
  order by s.r + s.f + s.m desc, s.monetary desc, s.user_id
$$;
comment on function shop.customer_value(timestamptz, timestamptz, text) is
  'Customer value by recency, frequency and monetary value (RFM, Hughes 1994): days since the last order, number of orders, revenue, each scored in fifths from 1 to 5 (best) within the currency, and a segment by r and f: champions (4-5, 4-5), loyal (3+, 3+), new (4-5, 1-2), promising (3, 1-2), cannot lose (1-2, 4-5), at risk (1-2, 3), hibernating. Scans the events of the window. Example: select segment, count(*), sum(monetary) from shop.customer_value() group by 1. One row per customer and currency, best first.';
grant execute on function shop.customer_value(timestamptz, timestamptz, text)
  to clickledger_reader, clickledger_operator;
