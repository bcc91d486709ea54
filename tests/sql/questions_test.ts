/**
 * The questions of the schema on a few events each: what is given, and what has to come out.
 *
 * @module
 */
import assert from "node:assert/strict";
import { csv, event, eventId, type TestEvent } from "../activities/_events.ts";
import { ingest, unload } from "../activities/_ingest.ts";
import { warehouse } from "../activities/_warehouse.ts";
import { type Plain, plain } from "./_duckdb.ts";

interface Case {
  readonly name: string;
  readonly given: readonly Given[];
  readonly query: string;
  readonly expected: Plain[][];
}

/** Type and time of an event, and what else differs. */
type Given = readonly [type: string, time: string, changes?: TestEvent];

const session = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;
const order = (n: number) => `10000000-0000-4000-8000-00000000000${n}`;
const view = (time: string, changes: TestEvent = {}): Given => ["product_view", time, changes];
const add = (time: string, changes: TestEvent = {}): Given => ["add_to_cart", time, changes];
const remove = (time: string, changes: TestEvent = {}): Given => [
  "remove_from_cart",
  time,
  changes,
];
const buy = (time: string, changes: TestEvent = {}): Given => ["purchase", time, changes];

const DAY = "'2026-03-02 00:00+00', '2026-03-03 00:00+00'";
const at = (clock: string) => `2026-03-02T${clock}:00Z`;

const CASES: Case[] = [
  {
    name: "revenue_by() fills gaps for every currency, and adds no currencies up",
    given: [
      buy(at("10:20"), { price: "10.10", quantity: "3" }),
      buy(at("10:29"), { price: "5.00", quantity: "1" }),
      buy(at("10:50"), { price: "700.00", currency: "JPY" }),
      view(at("10:31")),
    ],
    query: `select starts_at, currency, purchases, quantity, revenue
            from shop.revenue_by('15 minutes', '2026-03-02 10:20+00', '2026-03-02 11:00+00')`,
    expected: [
      ["2026-03-02T10:15:00.000Z", "EUR", "2", "4", "35.3"],
      ["2026-03-02T10:30:00.000Z", "EUR", "0", "0", "0"],
      ["2026-03-02T10:45:00.000Z", "EUR", "0", "0", "0"],
      ["2026-03-02T10:15:00.000Z", "JPY", "0", "0", "0"],
      ["2026-03-02T10:30:00.000Z", "JPY", "0", "0", "0"],
      ["2026-03-02T10:45:00.000Z", "JPY", "1", "2", "1400"],
    ],
  },
  {
    name: "revenue_by() has all intervals where nothing was sold",
    given: [],
    query: `select * from shop.revenue_by('12 hours', ${DAY})`,
    expected: [
      ["2026-03-02T00:00:00.000Z", null, "0", "0", "0"],
      ["2026-03-02T12:00:00.000Z", null, "0", "0", "0"],
    ],
  },
  {
    name: "revenue_by() cuts days where the clocks change",
    given: [
      buy("2026-03-28T23:30:00Z", { price: "1.00", quantity: "1" }),
      buy("2026-03-29T21:30:00Z", { price: "2.00", quantity: "1" }),
      buy("2026-03-29T22:30:00Z", { price: "4.00", quantity: "1" }),
    ],
    query: `select starts_at, revenue
            from shop.revenue_by('1 day', '2026-03-28 23:00+00', '2026-03-30 22:00+00', null, 'Europe/Berlin')`,
    expected: [["2026-03-28T23:00:00.000Z", "3"], ["2026-03-29T22:00:00.000Z", "4"]],
  },
  {
    name: "bins() begin anew at midnight, also of a day of 23 hours",
    given: [],
    query:
      `select b from shop.bins('2026-03-29 00:00+00', '2026-03-30 00:00+00', '6 hours', 'Europe/Berlin') b`,
    expected: [
      ["2026-03-28T23:00:00.000Z"],
      ["2026-03-29T05:00:00.000Z"],
      ["2026-03-29T11:00:00.000Z"],
      ["2026-03-29T17:00:00.000Z"],
      ["2026-03-29T22:00:00.000Z"],
    ],
  },
  {
    name: "bins() of weeks begin on Monday",
    given: [],
    query:
      `select b from shop.bins('2026-03-04 00:00+00', '2026-03-10 00:00+00', '7 days', 'UTC') b`,
    expected: [["2026-03-02T00:00:00.000Z"], ["2026-03-09T00:00:00.000Z"]],
  },
  {
    name: "event_funnel() counts events, and divides nothing by zero",
    given: [
      view(at("09:00")),
      view(at("09:01")),
      add(at("09:02")),
      view(at("09:03"), { device: "tablet" }),
      buy(at("09:04"), { device: "desktop" }),
    ],
    query: `select * from shop.event_funnel(${DAY}, 'device')`,
    expected: [
      ["mobile", "2", "1", "0", "0", "0.5", "0", "0"],
      ["tablet", "1", "0", "0", "0", "0", null, "0"],
      ["desktop", "0", "0", "0", "1", null, null, null],
    ],
  },
  {
    name: "event_funnel() has no row for no events",
    given: [view("2026-03-01T23:59:59Z"), view("2026-03-03T00:00:00Z")],
    query: `select * from shop.event_funnel(${DAY})`,
    expected: [],
  },
  {
    name: "session_funnel() counts a step only behind the one before",
    given: [
      // 1: all three, twice viewed.
      view(at("09:00"), { session_id: session(1) }),
      view(at("09:01"), { session_id: session(1) }),
      add(at("09:02"), { session_id: session(1) }),
      buy(at("09:03"), { session_id: session(1) }),
      // 2: the cart came before the view, the purchase after both.
      add(at("09:00"), { session_id: session(2) }),
      view(at("09:01"), { session_id: session(2) }),
      buy(at("09:02"), { session_id: session(2) }),
      // 3: purchased, then put into the cart.
      view(at("09:00"), { session_id: session(3) }),
      buy(at("09:01"), { session_id: session(3) }),
      add(at("09:02"), { session_id: session(3) }),
      // 4: never viewed.
      buy(at("09:00"), { session_id: session(4) }),
      // 5: viewed before the window.
      view("2026-03-01T23:59:00Z", { session_id: session(5) }),
      add(at("00:01"), { session_id: session(5) }),
    ],
    query: `select * from shop.session_funnel(${DAY})`,
    expected: [["all", "3", "2", "1", "0.6667", "0.5", "0.3333"]],
  },
  {
    name: "session_funnel() follows a session within each value",
    given: [
      view(at("09:00"), { session_id: session(1), category: "a" }),
      add(at("09:01"), { session_id: session(1), category: "b" }),
      view(at("09:02"), { session_id: session(1), category: "b" }),
      add(at("09:02"), { session_id: session(1), category: "b" }),
    ],
    query: `select value, viewed, carted from shop.session_funnel(${DAY}, 'category')`,
    expected: [["a", "1", "0"], ["b", "1", "1"]],
  },
  {
    name: "conversion_rate() counts a session over midnight where it began",
    given: [
      view("2026-03-02T23:50:00Z", { session_id: session(1) }),
      buy("2026-03-03T00:10:00Z", { session_id: session(1) }),
      view("2026-03-04T10:00:00Z", { session_id: session(2) }),
    ],
    query:
      `select * from shop.conversion_rate('1 day', '2026-03-02 00:00+00', '2026-03-05 00:00+00')`,
    expected: [
      ["2026-03-02T00:00:00.000Z", "1", "1", "1"],
      ["2026-03-03T00:00:00.000Z", "0", "0", null],
      ["2026-03-04T00:00:00.000Z", "1", "0", "0"],
    ],
  },
  ...([
    ["within an hour", "10:10", "10:50", "1"],
    ["up to a whole hour", "10:10", "11:00", "2"],
    ["over a whole hour's border", "10:10", "11:20", "3"],
    ["with whole hours inside", "10:10", "13:20", "5"],
    ["of whole hours", "10:00", "13:00", "5"],
    ["that is empty", "10:50", "10:50", null],
  ] as const).map(([what, from, to, views]): Case => ({
    name: `product_sales() is exact in a window ${what}`,
    given: ["10:05", "10:20", "10:55", "11:10", "12:30", "13:10", "13:30"].map((clock) =>
      view(at(clock), { product_id: "p" })
    ),
    query: `select views from shop.product_sales('2026-03-02 ${from}+00', '2026-03-02 ${to}+00')`,
    expected: views === null ? [] : [[views]],
  })),
  {
    name: "product_sales() counts pieces and revenue of purchases only",
    given: [
      add(at("10:00"), { product_id: "p", quantity: "9" }),
      remove(at("10:01"), { product_id: "p", quantity: "4" }),
      buy(at("10:02"), { product_id: "p", quantity: "5", price: "2.50" }),
      buy(at("10:03"), { product_id: "p", quantity: "2", price: "3.00", currency: "USD" }),
    ],
    query: `select * from shop.product_sales(${DAY}) order by currency`,
    expected: [
      ["p", "EUR", "0", "1", "1", "1", "5", "12.5"],
      ["p", "USD", "0", "0", "0", "1", "2", "6"],
    ],
  },
  {
    name: "top_products() names products as their newest event does, equals by id",
    given: [
      view(at("12:00"), { product_id: "b", product_name: "New", brand: "N", category: "c.n" }),
      view(at("11:00"), { product_id: "b", product_name: "Old", brand: "O", category: "c.o" }),
      view(at("11:00"), { product_id: "a", product_name: "First" }),
      view(at("11:30"), { product_id: "a", product_name: "First" }),
      view(at("11:00"), { product_id: "c", product_name: "Third" }),
    ],
    query: `select rank, product_id, product_name, brand, category, views
            from shop.top_products('views', ${DAY}, max_rows => 2)`,
    expected: [
      ["1", "a", "First", "Acme", "home.furniture.chairs", "2"],
      ["2", "b", "New", "N", "c.n", "2"],
    ],
  },
  {
    name: "viewed_but_not_bought() compares with the shop's own ratio",
    given: [
      ...["00", "01", "02", "03"].map((minute) => view(at(`10:${minute}`), { product_id: "hot" })),
      view(at("10:04"), { product_id: "sold" }),
      view(at("10:05"), { product_id: "sold" }),
      buy(at("10:06"), { product_id: "sold" }),
      buy(at("10:07"), { product_id: "sold" }),
      buy(at("10:08"), { product_id: "sold" }),
    ],
    query:
      `select product_id, views, purchases, purchases_per_view, usual_purchases_per_view, missing_purchases
            from shop.viewed_but_not_bought(${DAY}, 2)`,
    expected: [["hot", "4", "0", "0", "0.5", "2"]],
  },
  {
    name: "category_performance() cuts levels, and shares revenue within a currency",
    given: [
      buy(at("10:00"), { category: "a.b", price: "30.00", quantity: "1" }),
      buy(at("10:01"), { category: "a.c", price: "10.00", quantity: "1" }),
      buy(at("10:02"), { category: "", price: "60.00", quantity: "1" }),
      buy(at("10:03"), { category: "a", price: "8.00", quantity: "1", currency: "USD" }),
      view(at("10:04"), { category: "a.b" }),
    ],
    query: `select category, currency, views, purchases, revenue, purchases_per_view, revenue_share
            from shop.category_performance(${DAY}, 1)`,
    expected: [
      ["", "EUR", "0", "1", "60", null, "0.6"],
      ["a", "EUR", "1", "2", "40", "2", "0.4"],
      ["a", "USD", "0", "1", "8", null, "1"],
    ],
  },
  {
    name: "brand_performance() adds up the products of a brand",
    given: [
      view(at("10:00"), { product_id: "p", brand: "X" }),
      buy(at("10:01"), { product_id: "q", brand: "X", price: "3.00", quantity: "2" }),
      view(at("10:02"), { product_id: "r", brand: "" }),
    ],
    query: `select brand, products, views, purchases, quantity, revenue, revenue_share
            from shop.brand_performance(${DAY})`,
    expected: [["X", "2", "1", "1", "2", "6", "1"], ["", "1", "1", "0", "0", "0", "0"]],
  },
  {
    name: "orders() puts the lines of an order together",
    given: [
      buy(at("10:00"), { order_id: order(1), price: "3.00", quantity: "2" }),
      buy(at("10:01"), { order_id: order(1), price: "0.50", quantity: "1" }),
      buy(at("10:02"), { order_id: order(2), price: "9.99", quantity: "1" }),
    ],
    query: `select order_id::text, ordered_at, lines, quantity, revenue from shop.orders(${DAY})
            order by 1`,
    expected: [
      [order(1), at("10:00").replace("Z", ".000Z"), "2", "3", "6.5"],
      [order(2), at("10:02").replace("Z", ".000Z"), "1", "1", "9.99"],
    ],
  },
  {
    name: "order_values() divides by orders, not by lines",
    given: [
      buy(at("10:00"), { order_id: order(1), price: "10.00", quantity: "1", user_id: "u" }),
      buy(at("10:01"), { order_id: order(1), price: "20.00", quantity: "1", user_id: "u" }),
      buy(at("10:02"), { order_id: order(2), price: "1.00", quantity: "1", user_id: "u" }),
      buy(at("10:03"), { order_id: order(3), price: "2.00", quantity: "4", user_id: "v" }),
    ],
    query: `select * from shop.order_values('1 day', ${DAY})`,
    expected: [
      ["2026-03-02T00:00:00.000Z", "EUR", "3", "2", "39", "13", "8", "1.33", "2.33"],
    ],
  },
  {
    name: "sessions() tells duration, depth, entry and exit",
    given: [
      view(at("10:00"), { session_id: session(1), product_id: "in" }),
      add(at("10:05"), { session_id: session(1), product_id: "mid" }),
      // At the same time: the order of ids decides.
      view(at("10:10"), { session_id: session(1), product_id: "late" }),
      view(at("10:10"), { session_id: session(1), product_id: "last" }),
      buy(at("11:00"), { session_id: session(2), product_id: "only" }),
    ],
    query:
      `select right(session_id::text, 1), extract(epoch from duration), events, views, products,
                   entry_product_id, exit_product_id, carted, converted
            from shop.sessions(${DAY}) order by 1`,
    expected: [
      ["1", "600", "4", "3", "4", "in", "last", true, false],
      ["2", "0", "1", "0", "1", "only", "only", false, true],
    ],
  },
  {
    name: "session_statistics() tells of bounces and conversion",
    given: [
      view(at("10:00"), { session_id: session(1), user_id: "u" }),
      view(at("10:00"), { session_id: session(2), user_id: "u" }),
      buy(at("10:20"), { session_id: session(2), user_id: "u" }),
      view(at("10:00"), { session_id: session(3), user_id: "v" }),
      add(at("10:10"), { session_id: session(3), user_id: "v" }),
    ],
    query: `select sessions, users, extract(epoch from median_duration), average_events,
                   single_event_share, carted_share, conversion_rate
            from shop.session_statistics(${DAY})`,
    expected: [["3", "2", "600", "1.67", "0.3333", "0.3333", "0.3333"]],
  },
  {
    name: "carts() tells what became of each, and what was left in it",
    given: [
      add(at("09:00"), { session_id: session(1), product_id: "p", price: "5.00", quantity: "3" }),
      remove(at("09:01"), { session_id: session(1), product_id: "p", quantity: "1" }),
      add(at("09:02"), { session_id: session(1), product_id: "q", price: "1.00", quantity: "1" }),
      add(at("09:03"), { session_id: session(1), product_id: "q", price: "1.50", quantity: "1" }),
      add(at("09:00"), { session_id: session(2), product_id: "p", quantity: "1" }),
      remove(at("09:01"), { session_id: session(2), product_id: "p", quantity: "1" }),
      add(at("09:00"), { session_id: session(3), product_id: "p", quantity: "1" }),
      buy(at("09:01"), { session_id: session(3), product_id: "p", quantity: "1" }),
      add(at("09:00"), { session_id: session(4), product_id: "p", price: "2.00", quantity: "1" }),
      view("2026-03-02T23:40:00Z", { session_id: session(4) }),
      // Removed what was put in before the window: no cart.
      remove(at("09:00"), { session_id: session(5), product_id: "p", quantity: "1" }),
    ],
    query: `select right(session_id::text, 1), state, products_left, pieces_left, value_left
            from shop.carts(${DAY}, '30 minutes') order by 1`,
    expected: [
      ["1", "abandoned", "2", "4", "13"],
      ["2", "emptied", "0", "0", "0"],
      ["3", "purchased", "0", "0", "0"],
      ["4", "open", "1", "1", "2"],
    ],
  },
  {
    name: "cart_abandonment() leaves open carts out",
    given: [
      add(at("09:00"), { session_id: session(1), price: "5.00", quantity: "2" }),
      add(at("09:00"), { session_id: session(2), price: "7.00", quantity: "1" }),
      add(at("09:00"), { session_id: session(3) }),
      buy(at("09:01"), { session_id: session(3) }),
      add("2026-03-02T23:59:00Z", { session_id: session(4) }),
    ],
    query: `select * from shop.cart_abandonment(${DAY})`,
    expected: [["EUR", "4", "1", "0", "1", "2", "0.6667", "17", "8.5"]],
  },
  {
    name: "customer_value() scores in fifths",
    given: [1, 2, 3, 4, 5].flatMap((n) =>
      Array.from({ length: n }, (_, index) =>
        buy(`2026-03-02T0${n}:0${index}:00Z`, {
          user_id: `u${n}`,
          order_id: `10000000-0000-4000-8000-0000000000${n}${index}`,
          price: "10.00",
          quantity: "1",
        }))
    ),
    query: `select user_id, recency_days, frequency, monetary, r, f, m, segment
            from shop.customer_value('2026-03-01 00:00+00', '2026-03-05 06:00+00')`,
    expected: [
      ["u5", "3", "5", "50", "5", "5", "5", "champions"],
      ["u4", "3", "4", "40", "4", "4", "4", "champions"],
      ["u3", "3", "3", "30", "3", "3", "3", "loyal"],
      ["u2", "3", "2", "20", "2", "2", "2", "hibernating"],
      ["u1", "3", "1", "10", "1", "1", "1", "hibernating"],
    ],
  },
  {
    name: "weekly_cohorts() counts from the first week ever, in the zone",
    given: [
      // Sunday evening in UTC is Monday in Kolkata.
      view("2026-03-01T20:00:00Z", { user_id: "u" }),
      view("2026-03-03T20:00:00Z", { user_id: "v" }),
      view("2026-03-17T20:00:00Z", { user_id: "u" }),
      view("2026-02-10T20:00:00Z", { user_id: "old" }),
      view("2026-03-10T20:00:00Z", { user_id: "old" }),
    ],
    query: `select cohort_week::text, weeks_later, cohort_users, active_users, retention
            from shop.weekly_cohorts('2026-03-02 00:00+00', '2026-03-22 00:00+00', 'Asia/Kolkata')`,
    expected: [
      ["2026-03-02", "0", "2", "2", "1"],
      ["2026-03-02", "1", "2", "0", "0"],
      ["2026-03-02", "2", "2", "1", "0.5"],
    ],
  },
  {
    name: "new_and_returning() knows who came before the window",
    given: [
      view("2026-02-01T10:00:00Z", { user_id: "old" }),
      view("2026-03-02T10:00:00Z", { user_id: "old" }),
      view("2026-03-02T11:00:00Z", { user_id: "new" }),
      view("2026-03-02T12:00:00Z", { user_id: "new" }),
      view("2026-03-04T12:00:00Z", { user_id: "new" }),
    ],
    query:
      `select * from shop.new_and_returning('1 day', '2026-03-02 00:00+00', '2026-03-05 00:00+00')`,
    expected: [
      ["2026-03-02T00:00:00.000Z", "2", "1", "1", "0.5"],
      ["2026-03-03T00:00:00.000Z", "0", "0", "0", null],
      ["2026-03-04T00:00:00.000Z", "1", "0", "1", "0"],
    ],
  },
  {
    name: "bought_together() counts a product once an order",
    given: [
      buy(at("10:00"), { order_id: order(1), product_id: "a" }),
      buy(at("10:01"), { order_id: order(1), product_id: "b" }),
      buy(at("10:02"), { order_id: order(1), product_id: "b" }),
      buy(at("10:03"), { order_id: order(2), product_id: "a" }),
      buy(at("10:04"), { order_id: order(2), product_id: "b" }),
      buy(at("10:05"), { order_id: order(3), product_id: "a" }),
      buy(at("10:06"), { order_id: order(4), product_id: "c" }),
      buy(at("10:07"), { order_id: order(4), product_id: "a" }),
    ],
    query: `select product_a, product_b, orders_together, support, confidence_a_to_b,
                   confidence_b_to_a, lift from shop.bought_together(${DAY}, 2)`,
    expected: [["a", "b", "2", "0.5", "0.5", "1", "1"]],
  },
  {
    name: "hour_by_weekday() shows the clocks of the zone",
    given: [view("2026-03-02T18:20:00Z"), buy("2026-03-02T18:40:00Z")],
    query: `select weekday, hour, events, views, purchases
            from shop.hour_by_weekday(${DAY}, 'Asia/Kolkata') where events > 0`,
    expected: [["1", "23", "1", "1", "0"], ["2", "0", "1", "0", "1"]],
  },
  {
    name: "revenue_trend() averages seven days, those without sales as well",
    given: [
      buy("2026-03-01T10:00:00Z", { price: "70.00", quantity: "1" }),
      buy("2026-03-08T10:00:00Z", { price: "35.00", quantity: "1" }),
      buy("2026-03-09T10:00:00Z", { price: "70.00", quantity: "1" }),
    ],
    query: `select day::text, revenue, moving_average, change_on_day, change_on_week
            from shop.revenue_trend('2026-03-07 12:00+00', '2026-03-10 00:00+00')`,
    expected: [
      ["2026-03-07", "0", "10", null, null],
      ["2026-03-08", "35", "5", null, "-0.5"],
      ["2026-03-09", "70", "15", "1", null],
    ],
  },
  {
    // 22:30 UTC of 18 October is 00:30 of the 19th in Berlin, where clocks go back on the 25th.
    name: "revenue_trend() compares whole days of the zone, also over the end of summer time",
    given: [
      buy("2026-10-18T22:30:00Z", { price: "30.00", quantity: "1" }),
      buy("2026-10-19T10:00:00Z", { price: "10.00", quantity: "1" }),
      buy("2026-10-26T10:00:00Z", { price: "40.00", quantity: "1" }),
    ],
    query: `select day::text, revenue, change_on_week from shop.revenue_trend(
              '2026-10-25 23:00+00', '2026-10-26 23:00+00', time_zone => 'Europe/Berlin')`,
    expected: [["2026-10-26", "40", "0"]],
  },
  {
    name: "rate_anomalies() compares with the same hour of earlier weeks",
    given: [
      // Before the first whole hour; then Mondays at 10 with 2, 3, 4 events, and a rush.
      view("2026-02-09T09:00:00Z"),
      ...[["02-09", 2], ["02-16", 3], ["02-23", 4], ["03-02", 9]].flatMap(([day, times]) =>
        Array.from(
          { length: Number(times) },
          (_, index) => view(`2026-${day}T10:0${index}:00Z`),
        )
      ),
    ],
    query: `select * from shop.rate_anomalies('2026-03-02 10:00+00', '2026-03-02 12:30+00')`,
    expected: [
      ["2026-03-02T10:00:00.000Z", "9", "3", "3", "4.05", true],
      ["2026-03-02T11:00:00.000Z", "0", "0", "3", null, false],
    ],
  },
  {
    name: "freshness() has one row for no events",
    given: [],
    query:
      `select newest_event, newest_commit, files_under_way, files_last_hour, lag_p50_ms from shop.freshness()`,
    expected: [[null, null, "0", "0", null]],
  },
  {
    name: "freshness() tells of the newest event and of files",
    given: [view(at("10:00")), view("2026-03-02T10:00:30.5Z")],
    query:
      `select newest_event, files_under_way, files_last_hour, lag_p50_ms > 0, commit_age < '1 minute'
            from shop.freshness()`,
    expected: [["2026-03-02T10:00:30.500Z", "0", "1", true, true]],
  },
];

Deno.test("every question has its answer, folded or not", (t) => askAll(t, {}));

Deno.test("every question has its answer, copied", (t) => askAll(t, { leastRowsToCopy: 1 }));

/** Of what is unloaded nothing may be left, not even its name. */
const OTHER: TestEvent = {
  product_id: "P-other",
  category: "other.things",
  brand: "Other",
  currency: "SEK",
  user_id: "u-other",
  device: "tablet",
  country: "SE",
};

async function askAll(t: Deno.TestContext, changes: { leastRowsToCopy?: number }): Promise<void> {
  for (const { name, given, query, expected } of CASES) {
    await t.step(name, async () => {
      await using house = await warehouse({ chunkBytes: 1_000_000, ...changes });
      if (given.length > 0) {
        const result = await ingest(house, await house.land("a.csv", csv(given.map(toEvent))));
        assert.equal(result.loaded, given.length, "all that is given is valid");
      }
      const ask = async () => {
        const rows = await house.admin.unsafe(query).values() as unknown[][];
        return [...rows].map((row) => [...row].map(plain));
      };
      assert.deepEqual(await ask(), expected);
      await house.deps.sql`select shop.fold_rollups()`;
      assert.deepEqual(await ask(), expected, "after a fold");
      const others = given.map((one, n) => ({
        ...toEvent(one, n),
        ...OTHER,
        event_id: eventId(900 + n),
      }));
      const { fileId } = await ingest(house, await house.land("b.csv", csv(others)));
      await unload(house, fileId);
      assert.deepEqual(await ask(), expected, "after an unload");
      await house.deps.sql`select shop.fold_rollups()`;
      assert.deepEqual(await ask(), expected, "after an unload and a fold");
      const [rows] = await house.admin`select count(*)::int as copied from shop.minute_rollup_bulk`;
      assert.equal(rows!.copied > 0, given.length > 0 && changes.leastRowsToCopy !== undefined);
    });
  }
}

Deno.test("freshness() and rate_anomalies() leave out what was unloaded of what was copied", async () => {
  await using house = await warehouse({ chunkBytes: 1_000_000, leastRowsToCopy: 1 });
  const land = async (name: string, given: Given[]) => {
    // Ids of their own.
    const first = name.charCodeAt(0) * 100;
    const rows = given.map((one, n) => ({ ...toEvent(one, n), event_id: eventId(first + n) }));
    return await ingest(house, await house.land(name, csv(rows)));
  };
  const ask = async () => {
    const [row] = await house.admin`
      select f.newest_event, (select sum(a.observations)::int
              from shop.rate_anomalies('2026-03-02 10:00+00', '2026-03-02 12:00+00') a) as observations
      from shop.freshness() f`;
    return [row!.newest_event?.toISOString(), row!.observations];
  };
  await land("a.csv", [
    view("2026-02-16T11:30:00Z"),
    view("2026-02-23T10:00:00Z"),
    view(at("10:20")),
  ]);
  const before = ["2026-03-02T10:20:00.000Z", 2];
  assert.deepEqual(await ask(), before);
  for (const days of [["2026-02-09", "2026-03-02"], ["2025-11-01", "2026-07-04"]]) {
    const { fileId } = await land(`${days[0]}.csv`, days.map((day) => view(`${day}T10:21:00Z`)));
    assert.equal((await ask())[0], `${days[1]}T10:21:00.000Z`);
    await unload(house, fileId);
    assert.equal((await ask())[0], before[0], "before a fold");
    await house.deps.sql`select shop.fold_rollups()`;
    assert.deepEqual(await ask(), before);
  }
});

Deno.test("bins of months are refused, and so are splits that nobody knows", async () => {
  await using house = await warehouse();
  const { admin } = house;
  await assert.rejects(admin`select shop.bin_of(now(), '1 month', 'UTC')`.execute(), {
    code: "0A000",
  });
  await assert.rejects(admin`select * from shop.event_funnel(split_by => 'browser')`.execute(), {
    code: "22P02",
  });
  await assert.rejects(admin`select * from shop.top_products('profit')`.execute(), {
    code: "22P02",
  });
});

function toEvent([event_type, event_time, changes = {}]: Given, n: number): TestEvent {
  const isPurchase = event_type === "purchase";
  return event(n, {
    event_type,
    event_time,
    product_id: "P-1",
    price: "1.00",
    quantity: event_type === "product_view" ? "1" : "2",
    order_id: isPurchase ? `20000000-0000-4000-8000-${String(n).padStart(12, "0")}` : "",
    ...changes,
  });
}
