/** A question and the query that answers it. */
export interface DemoQuery {
  readonly question: string;
  readonly query: string;
}

/** What a person may ask first; shown as they stand, so they are written to be read. */
export const DEMO_QUERIES: readonly DemoQuery[] = [
  {
    question: "How did the last weeks go?",
    query: `select to_char(date_trunc('week', event_time), 'YYYY-MM-DD') as week,
       count(*)                                                as events,
       count(distinct user_id)                                 as users,
       count(distinct order_id)                                as orders,
       coalesce(sum(price * quantity) filter (where event_type = 'purchase'), 0) as revenue
from shop.events
group by week
order by week desc
limit 5`,
  },
  {
    question: "What sells, and how well do views turn into purchases?",
    query: `select coalesce(nullif(category, ''), '(none)') as category,
       count(*) filter (where event_type = 'product_view') as views,
       count(*) filter (where event_type = 'purchase')     as purchases,
       round(100.0 * count(*) filter (where event_type = 'purchase')
             / nullif(count(*) filter (where event_type = 'product_view'), 0), 2) as percent,
       coalesce(sum(price * quantity) filter (where event_type = 'purchase'), 0)  as revenue
from shop.events
group by 1
order by revenue desc
limit 5`,
  },
  {
    question: "What happens right now?",
    query: `select to_char(minute, 'HH24:MI') as minute, sum(events) as events,
       sum(events) filter (where event_type = 'purchase')  as purchases,
       sum(revenue) filter (where event_type = 'purchase') as revenue
from shop.minute_rollup
where minute > now() - interval '5 minutes'
group by minute_rollup.minute
order by minute_rollup.minute desc`,
  },
  {
    question: "Which files came last, and how soon could their rows be queried?",
    query: `select file_id, file_name, records, loaded, duplicates, rejected,
       round(1000 * extract(epoch from committed_at - closed_at)) as ms
from ingest.files
where state = 'loaded'
order by file_id desc
limit 5`,
  },
];
