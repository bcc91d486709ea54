-- How time is cut for every question that asks by interval, and the words that questions understand.

create type shop.session_split as enum ('all', 'category', 'device', 'country');
comment on type shop.session_split is 'What sessions can be split by: nothing, or a column of their events.';

create type shop.event_split as enum ('all', 'category', 'device');
comment on type shop.event_split is 'What totals of the rollup by minute can be split by.';

create type shop.product_measure as enum ('views', 'carts', 'purchases', 'quantity', 'revenue');
comment on type shop.product_measure is 'What products can be ranked by.';

create function shop.bin_of(at timestamptz, width interval, time_zone text) returns timestamptz
  language sql stable parallel safe
as $$
  select case
    when width < interval '1 day' then date_bin(width, at, date_trunc('day', at, time_zone))
    else date_bin(width, at at time zone time_zone, timestamp '2001-01-01') at time zone time_zone
  end
$$;
comment on function shop.bin_of(timestamptz, interval, text) is
  'Start of the interval that a point in time belongs to. Intervals below a day begin anew at each local midnight; those of days and weeks are cut in local time (also where clocks change), weeks begin on Monday. Months and years are refused. Example: select shop.bin_of(now(), ''15 minutes'', ''Europe/Berlin'').';
grant execute on function shop.bin_of(timestamptz, interval, text)
  to clickledger_reader, clickledger_operator;

create function shop.bins(from_time timestamptz, to_time timestamptz, width interval, time_zone text)
  returns setof timestamptz
  language sql stable parallel safe rows 100
as $$
  select b.starts_at
  from (
    select generate_series(d.midnight at time zone time_zone,
                           (d.midnight + interval '1 day') at time zone time_zone - interval '1 microsecond',
                           width) as starts_at
    from generate_series(date_trunc('day', from_time at time zone time_zone),
                         date_trunc('day', to_time at time zone time_zone), interval '1 day') as d (midnight)
    where width < interval '1 day'
    union all
    select w.starts_at at time zone time_zone
    from generate_series(date_bin(width, from_time at time zone time_zone, timestamp '2001-01-01'),
                         to_time at time zone time_zone, width) as w (starts_at)
    where width >= interval '1 day'
  ) b
  where b.starts_at >= shop.bin_of(from_time, width, time_zone) and b.starts_at < to_time
  order by b.starts_at
$$;
comment on function shop.bins(timestamptz, timestamptz, interval, text) is
  'Starts of all intervals that touch [from_time, to_time), as shop.bin_of() cuts them. One row per interval.';
grant execute on function shop.bins(timestamptz, timestamptz, interval, text)
  to clickledger_reader, clickledger_operator;
