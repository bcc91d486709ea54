create function shop.order_values(
  width     interval    default '1 day',
  from_time timestamptz default now() - interval '7 days',
  to_time   timestamptz default now(),
  time_zone text        default 'UTC'
) returns table (
    starts_at timestamptz, currency text, orders bigint, customers bigint, revenue numeric,
    average_order_value numeric, median_order_value numeric, lines_per_order numeric, pieces_per_order numeric)
  language sql stable parallel safe
as $$
  select shop.bin_of(o.ordered_at, width, time_zone), o.currency, count(*), count(distinct o.user_id), sum(o.revenue),
         round(sum(o.revenue) / count(*), 2),
         round(percentile_cont(0.5) within group (order by o.revenue)::numeric, 2),
         round(sum(o.lines) / count(*), 2), round(sum(o.quantity)::numeric / count(*), 2)
  from shop.orders(from_time, to_time) o
  group by 1, 2
  order by 2, 1
$$;
comment on function shop.order_values(interval, timestamptz, timestamptz, text) is
  'Orders and average order value (revenue over orders) by interval; intervals without orders have no row. time_zone: where days are cut. Scans the events of the window. Example: select * from shop.order_values(''1 week'', now() - interval ''8 weeks''). One row per interval and currency.';
grant execute on function shop.order_values(interval, timestamptz, timestamptz, text)
  to clickledger_reader, clickledger_operator;
