/**
 * Every question that the schema answers, asked of DuckDB as well: over the same CSV files, read by
 * its own reader, in queries of their own. Both have to agree to the cent.
 *
 * @module
 */
import assert from "node:assert/strict";
import { generateBulk } from "../../scripts/generate_bulk.ts";
import { ingest } from "../activities/_ingest.ts";
import { type Warehouse, warehouse } from "../activities/_warehouse.ts";
import { tempDir } from "../harness.ts";
import { openDuckEvents, type Plain, plain } from "./_duckdb.ts";

const ROWS = 100_000;
const START = Date.UTC(2026, 0, 5);

/** Cut to a minute, but not to an hour, a day or a week. */
const FROM = "2026-01-08 07:23:00";
const TO = "2026-01-29 18:47:00";
const WINDOW = `t >= timestamp '${FROM}' and t < timestamp '${TO}'`;
const SPAN = `'${FROM}+00', '${TO}+00'`;

interface Question {
  readonly name: string;
  readonly postgres: string;
  readonly duckdb: string;
}

const RATE = (above: string, below: string) =>
  `round((${above})::decimal(18,8) / nullif((${below}), 0)::decimal(18,8), 4)`;
const COUNT = (type: string) => `count(*) filter (event_type = '${type}')`;

const ACT = `
  acts as (
    select session_id, event_type, t, SPLIT as value from ev
    where ${WINDOW} and event_type in ('product_view', 'add_to_cart', 'purchase')
  ),
  viewed as (
    select value, session_id, min(t) as since from acts where event_type = 'product_view' group by all
  ),
  carted as (
    select a.value, a.session_id, min(t) as since
    from acts a join viewed v on v.value = a.value and v.session_id = a.session_id and t >= v.since
    where event_type = 'add_to_cart' group by all
  ),
  bought as (
    select distinct a.value, a.session_id
    from acts a join carted c on c.value = a.value and c.session_id = a.session_id and t >= c.since
    where event_type = 'purchase'
  )
  select v.value, count(*), count(c.session_id), count(b.session_id),
         ${RATE("count(c.session_id)", "count(*)")},
         ${RATE("count(b.session_id)", "count(c.session_id)")},
         ${RATE("count(b.session_id)", "count(*)")}
  from viewed v left join carted c on c.value = v.value and c.session_id = v.session_id
  left join bought b on b.value = v.value and b.session_id = v.session_id
  group by v.value order by 2 desc, 1`;

const PRODUCTS = `
  products as (
    select product_id, currency, ${COUNT("product_view")} as views, ${
  COUNT("add_to_cart")
} as carts,
           ${COUNT("remove_from_cart")} as removals, ${COUNT("purchase")} as purchases,
           coalesce(sum(quantity) filter (event_type = 'purchase'), 0) as quantity,
           coalesce(sum(price * quantity) filter (event_type = 'purchase'), 0) as revenue
    from ev where ${WINDOW} group by all
  ),
  described as (
    select product_id, arg_max(product_name, t) as product_name, arg_max(category, t) as category,
           arg_max(brand, t) as brand from ev group by all
  )`;

const CARTS = `
  cart_sessions as (
    select session_id, max(t) as last_t, bool_or(event_type = 'purchase') as bought
    from ev where ${WINDOW} group by all having bool_or(event_type = 'add_to_cart')
  ),
  left_over as (
    select session_id, currency, product_id, min(t) as since,
           greatest(0, sum(if(event_type = 'add_to_cart', quantity, -quantity))) as pieces,
           arg_max(price, t) filter (event_type = 'add_to_cart') as price
    from ev where ${WINDOW} and event_type like '%\\_cart' escape '\\' group by all
    having count(*) filter (event_type = 'add_to_cart') > 0
  ),
  carts as (
    select session_id, currency, min(since) as since, max(last_t) as last_t, any_value(bought) as bought,
           count(*) filter (pieces > 0) as products, sum(pieces) as pieces, sum(pieces * price) as value
    from left_over join cart_sessions using (session_id) group by all
  ),
  judged as (
    select *, case when bought then 'purchased' when pieces = 0 then 'emptied'
      when last_t > timestamp '${TO}' - interval '45 minutes' then 'open' else 'abandoned' end as state
    from carts
  )`;

const ORDERS = `
  orders as (
    select order_id, currency, min(t) as ordered, min(user_id) as user_id, count(*) as lines,
           sum(quantity) as pieces, sum(price * quantity) as revenue
    from ev where ${WINDOW} and order_id is not null group by all
  )`;

const QUESTIONS: Question[] = [
  {
    name: "revenue_by: a quarter of an hour",
    postgres: `select starts_at, purchases, quantity, revenue
               from shop.revenue_by('15 minutes', ${SPAN}, 'USD')`,
    duckdb: `
      with slots as (
        select unnest(generate_series(timestamp '2026-01-08 07:15:00', timestamp '2026-01-29 18:45:00',
                                      interval '15 minutes')) as slot
      )
      select slot, count(event_id), coalesce(sum(quantity), 0), coalesce(sum(price * quantity), 0)
      from slots left join ev
        on ${WINDOW} and event_type = 'purchase' and time_bucket(interval '15 minutes', t) = slot
      group by slot order by slot`,
  },
  {
    name: "revenue_by: days of Kathmandu",
    postgres: `select (starts_at at time zone 'Asia/Kathmandu')::date::text, revenue
               from shop.revenue_by('1 day', ${SPAN}, 'USD', 'Asia/Kathmandu')`,
    duckdb: `
      select strftime(t + interval '5 hours 45 minutes', '%Y-%m-%d') as day, sum(price * quantity)
      from ev where ${WINDOW} and event_type = 'purchase' group by all order by day`,
  },
  ...["all", "category", "device"].map((split) => ({
    name: `event_funnel: by ${split}`,
    postgres: `select * from shop.event_funnel(${SPAN}, '${split}')`,
    duckdb: `
      select ${split === "all" ? "'all'" : split} as value, ${COUNT("product_view")}, ${
      COUNT("add_to_cart")
    }, ${COUNT("remove_from_cart")}, ${COUNT("purchase")},
        ${RATE(COUNT("add_to_cart"), COUNT("product_view"))},
        ${RATE(COUNT("purchase"), COUNT("add_to_cart"))},
        ${RATE(COUNT("purchase"), COUNT("product_view"))}
      from ev where ${WINDOW} group by value order by 2 desc, value`,
  })),
  ...["all", "category", "device", "country"].map((split) => ({
    name: `session_funnel: by ${split}`,
    postgres: `select * from shop.session_funnel(${SPAN}, '${split}')`,
    duckdb: "with" + ACT.replace("SPLIT", split === "all" ? "'all'" : split),
  })),
  {
    name: "conversion_rate: by week of Berlin",
    postgres:
      `select to_char(starts_at at time zone 'Europe/Berlin', 'IYYY-IW'), sessions, converted, conversion_rate
       from shop.conversion_rate('7 days', ${SPAN}, 'Europe/Berlin')`,
    duckdb: `
      with s as (
        select session_id, strftime(min(t) + interval '1 hour', '%G-%V') as week,
               bool_or(order_id is not null) as bought
        from ev where ${WINDOW} group by session_id
      )
      select week, count(*), count(*) filter (bought), ${
      RATE("count(*) filter (bought)", "count(*)")
    }
      from s group by week order by week`,
  },
  {
    name: "product_sales",
    postgres: `select * from shop.product_sales(${SPAN}) order by product_id, currency`,
    duckdb: `with ${PRODUCTS} select * from products order by product_id, currency`,
  },
  ...["views", "carts", "purchases", "quantity", "revenue"].map((measure) => ({
    name: `top_products: by ${measure}`,
    postgres: `select * from shop.top_products('${measure}', ${SPAN}, max_rows => 50)`,
    duckdb: `
      with ${PRODUCTS}
      select row_number() over (order by ${measure} desc, product_id), product_id, product_name, category,
             brand, currency, views, carts, purchases, quantity, revenue
      from products join described using (product_id) order by 1 limit 50`,
  })),
  {
    name: "viewed_but_not_bought",
    postgres:
      `select product_id, product_name, category, brand, views, purchases, purchases_per_view,
                      usual_purchases_per_view, missing_purchases
               from shop.viewed_but_not_bought(${SPAN}, 5, 40)`,
    duckdb: `
      with ${PRODUCTS},
      usual as (select sum(purchases)::decimal(18,0) as p, sum(views)::decimal(18,0) as v from products)
      select product_id, product_name, category, brand, views, purchases, ${
      RATE("purchases", "views")
    }, ${RATE("p", "v")},
             round((views * p - purchases * v)::decimal(28,4) / v, 1)
      from products join described using (product_id), usual
      where views >= 5 and purchases * v < views * p
      order by views * p - purchases * v desc, product_id limit 40`,
  },
  ...[["null", "category"], ["1", "split_part(category, '.', 1)"]].map(([levels, category]) => ({
    name: `category_performance: ${levels} levels`,
    postgres: `select * from shop.category_performance(${SPAN}, ${levels})`,
    duckdb: `
      with c as (
        select ${category} as category, currency, ${COUNT("product_view")} as views,
               ${COUNT("add_to_cart")} as carts, ${COUNT("purchase")} as purchases,
               coalesce(sum(quantity) filter (order_id is not null), 0) as pieces,
               coalesce(sum(price * quantity) filter (order_id is not null), 0) as revenue
        from ev where ${WINDOW} group by all
      )
      select category, currency, views, carts, purchases, pieces, revenue, ${
      RATE("carts", "views")
    }, ${RATE("purchases", "views")}, round(revenue::double / (select sum(revenue) from c), 4)
      from c order by revenue desc, views desc, category`,
  })),
  {
    name: "brand_performance",
    postgres: `select * from shop.brand_performance(${SPAN})`,
    duckdb: `
      with ${PRODUCTS},
      b as (
        select brand, currency, count(*) as products, sum(views) as views, sum(carts) as carts,
               sum(purchases) as purchases, sum(quantity) as pieces, sum(revenue) as revenue
        from products join described using (product_id) group by all
      )
      select brand, currency, products, views, carts, purchases, pieces, revenue, ${
      RATE("carts", "views")
    }, ${RATE("purchases", "views")}, round(revenue::double / (select sum(revenue) from b), 4)
      from b order by revenue desc, views desc, brand`,
  },
  {
    name: "orders",
    postgres: `select order_id::text, ordered_at, user_id, currency, lines, quantity, revenue
               from shop.orders(${SPAN}) order by order_id::text`,
    duckdb: `with ${ORDERS} select order_id, ordered, user_id, currency, lines, pieces, revenue
             from orders order by order_id`,
  },
  {
    name: "order_values: by day",
    postgres:
      `select starts_at, orders, customers, revenue, average_order_value, median_order_value,
                      lines_per_order, pieces_per_order
               from shop.order_values('1 day', ${SPAN})`,
    duckdb: `
      with ${ORDERS}
      select date_trunc('day', ordered)::timestamp as day, count(*), count(distinct user_id), sum(revenue),
             round((sum(revenue) * 10000 / count(*))::decimal(38,6) / 10000, 2),
             round(median(revenue::decimal(18,4)), 2),
             round((sum(lines)::decimal(18,0) * 1000 / count(*))::decimal(18,3) / 1000, 2),
             round((sum(pieces)::decimal(18,0) * 1000 / count(*))::decimal(18,3) / 1000, 2)
      from orders group by day order by day`,
  },
  {
    name: "sessions",
    postgres:
      `select session_id::text, user_id, device, country, started_at, ended_at, extract(epoch from duration)::numeric(12,3),
              events, views, products, entry_product_id, exit_product_id, carted, converted
       from shop.sessions(${SPAN}) order by 1`,
    duckdb: `
      select session_id, min(user_id), min(device), min(country), min(t), max(t),
             epoch_ms(max(t) - min(t))::decimal(18,3) / 1000, count(*), ${COUNT("product_view")},
             count(distinct product_id), first(product_id order by t, event_id), last(product_id order by t, event_id),
             ${COUNT("add_to_cart")} > 0, count(order_id) > 0
      from ev where ${WINDOW} group by session_id order by session_id`
      .replace(
        "epoch_ms(max(t) - min(t))::decimal(18,3) / 1000",
        "(date_diff('millisecond', min(t), max(t))::decimal(18,3) / 1000)::decimal(18,3)",
      ),
  },
  ...["all", "device", "country"].map((split) => ({
    name: `session_statistics: by ${split}`,
    postgres: `select value, sessions, users, extract(epoch from median_duration)::numeric(18,3),
                      average_events, average_products, single_event_share, carted_share, conversion_rate
               from shop.session_statistics(${SPAN}, '${split}')`,
    duckdb: `
      with s as (
        select ${split === "all" ? "'all'" : split} as value, session_id, min(user_id) as user_id,
               date_diff('millisecond', min(t), max(t)) as ms, count(*) as n, count(distinct product_id) as p,
               ${COUNT("add_to_cart")} > 0 as carted, count(order_id) > 0 as bought
        from ev where ${WINDOW} group by value, session_id
      )
      select value, count(*), count(distinct user_id), (quantile_cont(ms, 0.5) / 1000)::decimal(18,3),
             round((sum(n)::decimal(18,0) * 10000 / count(*))::decimal(28,6) / 10000, 2),
             round((sum(p)::decimal(18,0) * 10000 / count(*))::decimal(28,6) / 10000, 2),
             ${RATE("count(*) filter (n = 1)", "count(*)")},
             ${RATE("count(*) filter (carted)", "count(*)")},
             ${RATE("count(*) filter (bought)", "count(*)")}
      from s group by value order by 2 desc, value`,
  })),
  {
    name: "carts",
    postgres:
      `select session_id::text, currency, state, first_added_at, last_event_at, products_left, pieces_left, value_left
       from shop.carts(${SPAN}, '45 minutes') order by 1`,
    duckdb: `
      with ${CARTS}
      select session_id, currency, state, since, last_t, if(bought, 0, products), if(bought, 0, pieces),
             if(bought, 0, value)
      from judged order by session_id`,
  },
  {
    name: "cart_abandonment",
    postgres: `select * from shop.cart_abandonment(${SPAN}, '45 minutes')`,
    duckdb: `
      with ${CARTS}
      select currency, count(*), count(*) filter (state = 'purchased'), count(*) filter (state = 'emptied'),
             count(*) filter (state = 'open'), count(*) filter (state = 'abandoned'),
             round(1 - count(*) filter (state = 'purchased') / count(*) filter (state != 'open'), 4),
             sum(value) filter (state = 'abandoned'),
             round(avg(value) filter (state = 'abandoned'), 2)
      from judged group by currency`,
  },
  {
    name: "customer_value",
    postgres: `select user_id, recency_days, frequency, monetary, r, f, m, segment
               from shop.customer_value(${SPAN}, 'USD') order by user_id`,
    duckdb: `
      with ${ORDERS},
      c as (
        select user_id, max(ordered) as last_at, count(*) as n, sum(revenue) as revenue from orders group by user_id
      ),
      s as (
        select *, ntile(5) over (order by last_at, user_id) as r,
               ntile(5) over (order by n, revenue, user_id) as f, ntile(5) over (order by revenue, user_id) as m
        from c
      ),
      names(low_r, high_r, low_f, high_f, segment) as (
        values (4, 5, 4, 5, 'champions'), (3, 3, 3, 5, 'loyal'), (4, 5, 3, 3, 'loyal'), (4, 5, 1, 2, 'new'),
               (3, 3, 1, 2, 'promising'), (1, 2, 4, 5, 'cannot lose'), (1, 2, 3, 3, 'at risk'),
               (1, 2, 1, 2, 'hibernating')
      )
      select user_id, date_diff('second', last_at, timestamp '${TO}') // 86400, n, revenue, r, f, m, segment
      from s join names on r between low_r and high_r and f between low_f and high_f order by user_id`,
  },
  {
    name: "weekly_cohorts",
    postgres: `select cohort_week::text, weeks_later, cohort_users, active_users, retention
               from shop.weekly_cohorts(${SPAN}, 'Asia/Kolkata')`,
    duckdb: `
      with a as (
        select distinct user_id, date_trunc('week', t + interval '330 minutes')::date as w
        from ev where t < timestamp '${TO}'
      ),
      f as (select *, min(w) over (partition by user_id) as c from a),
      n as (select c, count(distinct user_id) as size from f group by c),
      g as (select c, size, unnest(range(0, (date '2026-01-26' - c) // 7 + 1)) as k from n
            where c >= date '2026-01-05')
      select strftime(g.c, '%Y-%m-%d'), k, size, count(f.user_id), ${
      RATE("count(f.user_id)", "size")
    }
      from g left join f on f.c = g.c and f.w = g.c + (7 * k)::integer group by g.c, k, size order by 1, 2`,
  },
  {
    name: "new_and_returning: by day",
    postgres: `select starts_at, users, new_users, returning_users, new_share
               from shop.new_and_returning('1 day', ${SPAN})`,
    duckdb: `
      with d as (
        select user_id, date_trunc('day', t)::timestamp as day, bool_or(${WINDOW}) as inside
        from ev where t < timestamp '${TO}' group by all
      ),
      r as (select *, day = min(day) over (partition by user_id) as first_day from d)
      select day, count(*), count(*) filter (first_day), count(*) filter (not first_day),
             ${RATE("count(*) filter (first_day)", "count(*)")}
      from r where inside group by day order by day`,
  },
  {
    name: "bought_together",
    postgres:
      `select product_a, product_b, orders_together, support, confidence_a_to_b, confidence_b_to_a, lift
               from shop.bought_together(${SPAN}, 1, 5000) order by product_a, product_b`,
    duckdb: `
      with basket as (
        select order_id, list_sort(list_distinct(list(product_id))) as items
        from ev where ${WINDOW} and order_id is not null group by order_id
      ),
      total as (select count(*) as n from basket),
      single as (select item, count(*) as n from (select unnest(items) as item from basket) group by item),
      pairs as (
        select x.item as a, y.item as b, count(*) as n
        from (select order_id, unnest(items) as item from basket) x
        join (select order_id, unnest(items) as item from basket) y
          on x.order_id = y.order_id and x.item < y.item
        group by all
      )
      select a, b, pairs.n, round(pairs.n::decimal(18,8) / total.n::decimal(18,8), 6), ${
      RATE("pairs.n", "sa.n")
    }, ${
      RATE("pairs.n", "sb.n")
    }, round((pairs.n * total.n)::decimal(18,4) / (sa.n * sb.n)::decimal(18,4), 4)
      from pairs join single sa on sa.item = a join single sb on sb.item = b, total order by a, b`,
  },
  {
    name: "hour_by_weekday: of Kolkata",
    postgres: `select * from shop.hour_by_weekday(${SPAN}, 'Asia/Kolkata')`,
    duckdb: `
      with grid as (select w, h from range(1, 8) a(w), range(0, 24) b(h))
      select w, h, count(event_id), ${COUNT("product_view")}, ${COUNT("add_to_cart")}, ${
      COUNT("purchase")
    }
      from grid left join (select *, t + interval '330 minutes' as local from ev where ${WINDOW}) e
        on isodow(local) = w and hour(local) = h
      group by w, h order by w, h`,
  },
  {
    name: "revenue_trend",
    postgres: `select day::text, revenue, moving_average, change_on_day, change_on_week
               from shop.revenue_trend('2026-01-13 12:00:00+00', '${TO}+00', 'USD')`,
    duckdb: `
      with d as (
        select date_trunc('day', t)::date as day, sum(price * quantity) as revenue
        from ev where event_type = 'purchase' and t < timestamp '${TO}' group by all
      )
      select strftime(d.day, '%Y-%m-%d'), d.revenue,
             round(((select sum(revenue) from d p where p.day between d.day - 6 and d.day)
                    * 1000 / 7)::decimal(28,6) / 1000, 2),
             round((d.revenue - y.revenue)::decimal(18,8) / y.revenue, 4),
             round((d.revenue - w.revenue)::decimal(18,8) / w.revenue, 4)
      from d join d y on y.day = d.day - 1 join d w on w.day = d.day - 7
      where d.day >= date '2026-01-13' order by d.day`,
  },
  {
    name: "rate_anomalies",
    postgres: `select hour, events, usual_events, observations, score, is_anomaly
               from shop.rate_anomalies('2026-01-30 00:00:00+00', '2026-02-01 00:00:00+00', 2, 3)`,
    duckdb: `
      with h as (select date_trunc('hour', t) as hour, count(*) as n from ev group by all),
      asked as (
        select unnest(range(timestamp '2026-01-30 00:00:00', timestamp '2026-02-01 00:00:00', interval '1 hour')) as hour
      ),
      past as (
        select a.hour, coalesce(p.n, 0) as n
        from (select hour, hour - to_days((7 * w)::integer) as before from asked, range(1, 4) k(w)) a
        left join h p on p.hour = a.before
      ),
      m as (select hour, median(n) as med, count(*) as obs from past group by hour),
      s as (
        select hour, med, obs, median(abs(n - med)) as mad, avg(abs(n - med)) as meand
        from past join m using (hour) group by all
      ),
      z as (
        select a.hour, coalesce(h.n, 0) as n, med, obs,
               case when mad > 0 then 0.6745 * (coalesce(h.n, 0) - med) / mad
                    else (coalesce(h.n, 0) - med) / nullif(1.253314 * meand, 0) end as score
        from asked a left join h using (hour) join s using (hour)
      )
      select hour, n, round(med, 1), obs, round(score, 2), coalesce(abs(score) > 2, false) from z order by hour`,
  },
];

Deno.test("DuckDB agrees with every question over 100,000 generated events", async (t) => {
  await using house = await warehouse({ chunkBytes: 4_000_000 });
  await using folder = await tempDir();
  const csv = `${folder.path}/csv`;
  await generateBulk({ directory: csv, rows: ROWS, files: 4, seed: 7, from: START });
  await load(house, csv);
  using duck = await openDuckEvents(`${csv}/*.csv`);
  assert.deepEqual(await duck.query("select count(*) from ev"), [[String(ROWS)]]);

  await t.step("every function of shop is asked", async () => {
    const functions = await house.admin<{ name: string }[]>`
      select p.proname as name from pg_proc p
      where p.pronamespace = 'shop'::regnamespace and p.proretset and p.prokind = 'f'`;
    const asked = new Set(QUESTIONS.map(({ name }) => name.split(":")[0]));
    const others = functions.map(({ name }) => name).filter((name) => !asked.has(name));
    // Intervals are compared through all that are cut by them; freshness is a matter of the ledger.
    assert.deepEqual(others.toSorted(), ["bins", "freshness"]);
  });
  for (const { name, postgres, duckdb } of QUESTIONS) {
    await t.step(name, async () => {
      const theirs = await duck.query(duckdb);
      assert.ok(theirs.length > 0, "DuckDB has nothing to say");
      sameRows(await ask(house, postgres), theirs);
    });
  }
});

async function load(house: Warehouse, directory: string): Promise<void> {
  const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
  for (const name of names) {
    // Of the first half all is copied; of the rest, chunks are too small for that.
    house.deps.chunkBytes = names.indexOf(name) < 2 ? 4_000_000 : 100_000;
    const path = await house.land(name, await Deno.readFile(`${directory}/${name}`));
    assert.equal((await ingest(house, path)).state, "loaded");
    // Some of the rollups are folded, the rest are deltas.
    if (name === names[2]) await house.deps.sql`select shop.fold_rollups()`;
  }
}

async function ask({ admin }: Warehouse, sql: string): Promise<Plain[][]> {
  const rows = await admin.unsafe(sql).values() as unknown[][];
  return rows.map((row) => [...row].map((cell) => plain(cell)));
}

/** Compared one by one, so that a difference shows where it is. */
function sameRows(ours: Plain[][], theirs: Plain[][]): void {
  for (let row = 0; row < Math.max(ours.length, theirs.length); row++) {
    assert.deepEqual(
      ours[row],
      theirs[row],
      `row ${row + 1} of ${ours.length} and ${theirs.length}`,
    );
  }
}
