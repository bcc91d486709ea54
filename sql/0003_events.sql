-- The events, partitioned by month. Columns are those of the contract (domain/shop_events.ts, compared
-- by a test) and what the pipeline adds.

create table shop.events (
  event_id     uuid          not null,
  event_time   timestamptz   not null,
  event_type   text          not null,
  user_id      text          not null,
  session_id   uuid          not null,
  product_id   text          not null,
  product_name text          not null,
  category     text          not null,
  brand        text          not null,
  price        numeric(12,2) not null,
  currency     char(3)       not null,
  quantity     integer       not null,
  order_id     uuid,
  device       text          not null,
  country      char(2)       not null,
  processed_at timestamptz   not null default now(),
  file_id      bigint        not null,
  line_number  integer       not null,
  extras       jsonb,
  constraint events_type_known check
    (event_type in ('product_view', 'add_to_cart', 'remove_from_cart', 'purchase')),
  constraint events_price_not_negative check (price >= 0),
  constraint events_quantity_range check (quantity between 1 and 1000),
  constraint events_order_of_purchase check ((event_type = 'purchase') = (order_id is not null))
) partition by range (event_time);
comment on table  shop.events              is 'What users did in the shop. One row per event; every event_id stands here once.';
comment on column shop.events.event_id     is 'The producer''s id of the event, unique across all files.';
comment on column shop.events.event_time   is 'When the user acted.';
comment on column shop.events.event_type   is 'product_view, add_to_cart, remove_from_cart or purchase.';
comment on column shop.events.user_id      is 'The user, as the shop names them.';
comment on column shop.events.session_id   is 'The visit that the event belongs to.';
comment on column shop.events.product_id   is 'The product.';
comment on column shop.events.product_name is 'Its name at the time.';
comment on column shop.events.category     is 'Its category, levels joined by a dot; may be empty.';
comment on column shop.events.brand        is 'Its brand; may be empty.';
comment on column shop.events.price        is 'Price of one piece, in currency.';
comment on column shop.events.currency     is 'ISO 4217 code.';
comment on column shop.events.quantity     is 'Pieces; 1 on a view.';
comment on column shop.events.order_id     is 'The order; on purchases only. An order may have several lines.';
comment on column shop.events.device       is 'desktop, mobile or tablet.';
comment on column shop.events.country      is 'ISO 3166-1 alpha-2 code.';
comment on column shop.events.processed_at is 'When the row was committed by the pipeline.';
comment on column shop.events.file_id      is 'The file it came from: ingest.files.';
comment on column shop.events.line_number  is 'First physical line of the record in that file.';
comment on column shop.events.extras       is 'Columns that the contract does not know, as they came.';

-- Rows arrive nearly ordered by both, so a block range index answers at a hundredth of a b-tree's cost.
create index events_time_brin on shop.events using brin (event_time) with (pages_per_range = 32, autosummarize = on);
create index events_file_brin on shop.events using brin (file_id)    with (pages_per_range = 32, autosummarize = on);

create table shop.events_before_2020_01 partition of shop.events
  for values from (minvalue) to ('2020-01-01 00:00:00+00');
comment on table shop.events_before_2020_01 is 'All events before 2020, dropped only as a whole. One row per event.';

create function shop.ensure_month(month date) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  starts         date := date_trunc('month', month)::date;
  ends           date := (date_trunc('month', month) + interval '1 month')::date;
  partition_name text := 'events_' || to_char(month, 'YYYY_MM');
begin
  if starts < date '2020-01-01' then
    return;
  end if;
  -- Events before the horizon are rejected: a month that was dropped does not come back for them.
  if ends::timestamp at time zone 'UTC' <= (select h.events_from from ingest.horizon h where h.feed = 'shop_events') then
    return;
  end if;
  if starts > (now() + interval '1 month')::date then
    raise exception 'Cannot make a partition for %: it lies in the future', starts
      using errcode = 'datetime_field_overflow';
  end if;
  perform pg_advisory_xact_lock(hashtext('shop.ensure_month'), hashtext(partition_name));
  if to_regclass(format('shop.%I', partition_name)) is not null then
    return;
  end if;
  -- Made beside the parent and attached: `create … partition of` takes a lock that deadlocks with loads.
  execute format('create table shop.%I (like shop.events including all)', partition_name);
  execute format('comment on table shop.%I is %L', partition_name,
    format('Events of %s (UTC). One row per event.', to_char(month, 'YYYY-MM')));
  execute format('alter table shop.events attach partition shop.%I for values from (%L) to (%L)',
    partition_name, starts::timestamp at time zone 'UTC', ends::timestamp at time zone 'UTC');
end
$$;
comment on function shop.ensure_month(date) is
  'Makes the partition of shop.events for a month, if it is missing. Call it in its own transaction before loading.';
