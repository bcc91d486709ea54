-- Retention: old months go as whole partitions. Keys stay, so that what was loaded is never loaded again; rollups
-- stay, so that revenue of years ago can still be asked for.

create procedure shop.drop_events_before(month date)
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  bound     timestamptz := month::timestamp at time zone 'UTC';
  unsettled text;
  old_month regclass;
begin
  if month is null or extract(day from month) <> 1 then
    raise exception 'Cannot drop events before %: expected the first day of a month', coalesce(month::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if month < date '2020-01-01' then
    raise exception 'Cannot drop events before %: all months before 2020 are kept as one and go as a whole; the first date possible is 2020-01-01', month
      using errcode = 'invalid_parameter_value';
  end if;
  if bound > now() then
    raise exception 'Cannot drop events before %: it lies in the future', month
      using errcode = 'invalid_parameter_value';
  end if;
  -- A query that reads old months makes this wait; whoever comes behind would wait for this. So it waits a moment
  -- only, lets the others pass, and tries again.
  for attempt in 1..50 loop
    begin
      perform set_config('lock_timeout', '200ms', true);
      -- Every load holds the horizon's row until it commits, so none is under way from here on.
      perform from ingest.horizon h where h.feed = 'shop_events' for update;
      select string_agg(format('%s (%s)', f.file_id, f.state), ', ' order by f.file_id) into unsettled
      from ingest.files f
      where f.settled_at is null
        and exists (select from ingest.event_keys k where k.file_id = f.file_id and k.event_time < bound);
      if unsettled is not null then
        raise exception 'Cannot drop events before %: file % is not settled and has such events; wait, or see deno task files show',
          month, unsettled using errcode = 'object_not_in_prerequisite_state';
      end if;
      for old_month in
        select i.inhrelid::regclass
        from pg_inherits i
        join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'shop.events'::regclass
          and (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz <= bound
        order by c.relname
      loop
        execute format('alter table shop.events detach partition %s', old_month);
        execute format('drop table %s', old_month);
      end loop;
      update ingest.horizon set events_from = bound where feed = 'shop_events' and events_from < bound;
      return;
    exception when lock_not_available then
      if attempt = 50 then
        raise exception 'Cannot drop events before %: a query or a load holds them; try again', month
          using errcode = 'lock_not_available';
      end if;
    end;
    perform pg_sleep(0.1);
  end loop;
end
$$;
comment on procedure shop.drop_events_before(date) is
  'Drops the partitions of shop.events that end at or before the given first of a month (UTC), and moves the horizon there in the same transaction: an older arrival is rejected from then on. Keys and rollups stay. Refuses while a file that is not settled has such events, and names it. For the owner: call shop.drop_events_before(''2026-01-01'').';
revoke execute on procedure shop.drop_events_before(date) from public;
