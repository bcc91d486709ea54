/** One question of the page and the query behind it. */
export interface Panel {
  readonly id: string;
  /** The answer is kept for so long, milliseconds; by default it is asked anew each time. */
  readonly keptMs?: number;
  /** Named parameters: `:from`, `:to`, `:width`, `:device`, `:category`, `:currency`. */
  readonly sql: string;
}

/** Of the rollup's minutes, as `r`, those of the period that the filters leave. */
const CHOSEN_MINUTES =
  `where r.minute >= date_trunc('minute', :from::timestamptz) and r.minute < :to::timestamptz
  and (:device::text is null or r.device = :device)
  and (:category::text is null or split_part(r.category, '.', 1) = :category)
  and (:currency::text is null or r.currency = :currency)`;

/** State of a file, as `f`, for people: a paused one is loading in the ledger. */
const STATE = "case when f.paused_at is null then f.state else 'paused' end";

/** All that the page asks, in its order. What is asked often is answered from rollups and the ledger. */
export const PANELS: readonly Panel[] = [
  {
    id: "totals",
    sql: `select coalesce(sum(r.events), 0)::bigint as events,
       coalesce(sum(r.events) filter (where r.event_type = 'product_view'), 0)::bigint as views,
       coalesce(sum(r.events) filter (where r.event_type = 'add_to_cart'), 0)::bigint  as carts,
       coalesce(sum(r.events) filter (where r.event_type = 'purchase'), 0)::bigint     as purchases,
       coalesce(sum(r.quantity) filter (where r.event_type = 'purchase'), 0)::bigint   as pieces
from shop.minute_rollup_parts r
${CHOSEN_MINUTES}`,
  },
  {
    id: "revenue",
    sql: `select r.currency, sum(r.revenue) as revenue, sum(r.events)::bigint as purchases
from shop.minute_rollup_parts r
${CHOSEN_MINUTES}
  and r.event_type = 'purchase'
group by r.currency
having sum(r.events) <> 0
order by sum(r.events) desc, r.currency`,
  },
  {
    id: "flow",
    sql: `with moved as (
  select shop.bin_of(r.minute, :width::interval, 'UTC') as starts_at,
         sum(r.events)                                                as events,
         sum(r.revenue) filter (where r.event_type = 'purchase')      as revenue
  from shop.minute_rollup_parts r
  ${CHOSEN_MINUTES.replaceAll("\n", "\n  ")}
  group by 1
)
select b.starts_at, coalesce(m.events, 0)::bigint as events, coalesce(m.revenue, 0) as revenue
from shop.bins(:from::timestamptz, :to::timestamptz, :width::interval, 'UTC') as b (starts_at)
left join moved m on m.starts_at = b.starts_at
order by b.starts_at`,
  },
  {
    id: "products",
    sql:
      `select p.product_id, p.product_name, p.category, p.currency, p.views, p.carts, p.quantity, p.revenue
from shop.top_products('revenue', :from::timestamptz, :to::timestamptz, :currency::text, 10) p
where :category::text is null
union all
(select s.product_id, p.product_name, p.category, s.currency, s.views, s.carts, s.quantity, s.revenue
 from shop.product_sales(:from::timestamptz, :to::timestamptz) s
 join shop.products p on p.product_id = s.product_id
 where split_part(p.category, '.', 1) = :category and s.purchases > 0
   and (:currency::text is null or s.currency = :currency)
 order by s.revenue desc, s.product_id, s.currency
 limit 10)
order by revenue desc, product_id, currency`,
  },
  {
    id: "categories",
    sql: `select split_part(r.category, '.', 1) as category, sum(r.events)::bigint as events,
       coalesce(sum(r.events) filter (where r.event_type = 'purchase'), 0)::bigint as purchases
from shop.minute_rollup_parts r
${CHOSEN_MINUTES}
group by 1
having sum(r.events) <> 0
order by sum(r.events) desc, 1
limit 12`,
  },
  {
    id: "devices",
    sql: `select r.device, sum(r.events)::bigint as events,
       coalesce(sum(r.events) filter (where r.event_type = 'purchase'), 0)::bigint as purchases
from shop.minute_rollup_parts r
${CHOSEN_MINUTES}
group by r.device
having sum(r.events) <> 0
order by sum(r.events) desc, r.device`,
  },
  {
    id: "hours",
    keptMs: 60_000,
    sql: `select h.weekday, h.hour, h.events
from shop.hour_by_weekday(:to::timestamptz - interval '28 days', :to::timestamptz, 'UTC') h
order by h.weekday, h.hour`,
  },
  {
    id: "freshness",
    sql: `select f.newest_event, f.newest_commit
from shop.freshness() f`,
  },
  {
    id: "states",
    sql: `select ${STATE} as state, count(*) as files
from ingest.files f
group by 1
order by 1`,
  },
  {
    id: "rows",
    sql: `with committed as (
  select shop.bin_of(c.committed_at, :width::interval, 'UTC') as starts_at,
         sum(c.records)::bigint as records
  from ingest.chunks c
  where c.committed_at >= :from::timestamptz and c.committed_at < :to::timestamptz
  group by 1
)
select b.starts_at, coalesce(c.records, 0)::bigint as records,
       round(coalesce(c.records, 0) / extract(epoch from :width::interval), 1) as records_per_second
from shop.bins(:from::timestamptz, :to::timestamptz, :width::interval, 'UTC') as b (starts_at)
left join committed c on c.starts_at = b.starts_at
order by b.starts_at`,
  },
  {
    id: "lag",
    sql:
      `select shop.bin_of(l.committed_at, :width::interval, 'UTC') as starts_at, count(*) as files,
       round(percentile_cont(0.5)  within group (order by l.lag_ms)::numeric, 1) as p50_ms,
       round(percentile_cont(0.95) within group (order by l.lag_ms)::numeric, 1) as p95_ms,
       round(percentile_cont(0.99) within group (order by l.lag_ms)::numeric, 1) as p99_ms
from ingest.lag l
where l.state = 'loaded' and l.committed_at >= :from::timestamptz and l.committed_at < :to::timestamptz
group by 1
order by 1`,
  },
  {
    id: "rejects",
    sql:
      `select x.fault ->> 'code' as code, coalesce(x.fault ->> 'column', '') as column_name, count(*) as records
from ingest.rejects r, jsonb_array_elements(r.faults) as x (fault)
where r.state = 'open' and r.created_at >= :from::timestamptz and r.created_at < :to::timestamptz
group by 1, 2
order by count(*) desc, 1, 2
limit 12`,
  },
  {
    id: "slowest",
    sql: `select f.file_id, f.file_name, f.state, f.records, f.rejected, f.workflow_id, f.run_id,
       round(1000 * extract(epoch from f.committed_at - coalesce(f.closed_at, f.discovered_at)), 1) as lag_ms
from ingest.files f
where f.committed_at >= :from::timestamptz and f.committed_at < :to::timestamptz
order by f.committed_at - coalesce(f.closed_at, f.discovered_at) desc, f.file_id
limit 8`,
  },
  {
    id: "attention",
    sql: `select f.file_id, f.file_name, ${STATE} as state,
       coalesce(f.error_code, '') as error_code,
       coalesce(f.error_message, '') as error_message, f.workflow_id, f.run_id, f.discovered_at
from ingest.files f
where f.discovered_at < :to::timestamptz
  and (f.state in ('loading', 'unloading')
       or (f.state in ('failed', 'cancelled') and f.discovered_at >= :from::timestamptz))
order by f.file_id desc
limit 10`,
  },
];

/** Names that filters can be set to, by filter. */
export const CHOICES: readonly Panel[] = [
  {
    id: "category",
    keptMs: 30_000,
    sql: `select distinct split_part(p.category, '.', 1) as name
from shop.products p
where p.category <> ''
order by 1`,
  },
  {
    id: "currency",
    keptMs: 30_000,
    sql: `select r.currency as name
from shop.minute_rollup_parts r
where r.minute >= :to::timestamptz - interval '56 days' and r.event_type = 'purchase'
group by r.currency
having sum(r.events) <> 0
order by sum(r.events) desc, r.currency`,
  },
];

/** Why a file is as it is; asked when a person wants to know. Parameter: `:file`. */
export const FILE_PANELS: readonly Panel[] = [
  {
    id: "file",
    sql: `select f.file_id, f.file_name, ${STATE} as state,
       f.size_bytes, f.records, f.loaded, f.duplicates, f.rejected, f.error_code, f.error_message,
       f.duplicate_of, f.supersedes, f.retry_of, f.path, f.archive_path, f.sha256, f.contract_version,
       f.workflow_id, f.run_id
from ingest.files f
where f.file_id = :file::bigint`,
  },
  {
    id: "stages",
    sql:
      `select l.closed_at, l.discovered_at, l.started_at, l.committed_at, l.settled_at, l.discover_ms, l.start_ms,
       l.load_ms, l.settle_ms, l.lag_ms
from ingest.lag l
where l.file_id = :file::bigint`,
  },
  {
    id: "chunks",
    sql:
      `select count(*) as planned, count(c.committed_at) as committed, max(c.worker) as worker, max(c.attempt) as attempt
from ingest.chunks c
where c.file_id = :file::bigint`,
  },
  {
    id: "faults",
    sql:
      `select x.fault ->> 'code' as code, coalesce(x.fault ->> 'column', '') as column_name, count(*) as records,
       min(r.line_number) as first_line
from ingest.rejects r, jsonb_array_elements(r.faults) as x (fault)
where r.file_id = :file::bigint
group by 1, 2
order by count(*) desc, 1, 2`,
  },
];
