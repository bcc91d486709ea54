import { count, countOf } from "../cli/numbers.ts";
import { formatMoney, formatValue, numberOf, sumOf } from "./format_value.ts";
import type { Kind, ReportQuestion, Row, ShownColumn, Value } from "./report_question.ts";
import { chooseWidth, type ReportWindow } from "./report_window.ts";

const column = (name: string, kind: Kind, label = name.replaceAll("_", " ")): ShownColumn => ({
  name,
  label,
  kind,
});

const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DAY_MS = 86_400_000;

/** The ten that people ask first, in the order in which they ask. */
export const REPORT_QUESTIONS: readonly ReportQuestion[] = [
  {
    id: "revenue",
    title: "What came in?",
    query: (w) =>
      `select starts_at, purchases, quantity, revenue\nfrom shop.revenue_by('${chooseWidth(w)}', ${
        span(w)
      }, ${text(w.currency)}, ${text(w.timeZone)})`,
    headline: (rows, w) => {
      if (sumOf(rows, "purchases") === 0) return null;
      const best = largest(rows, "revenue")!;
      return `${money(sumOf(rows, "revenue"), w)} for ${
        countOf(sumOf(rows, "quantity"), "piece")
      }; most in the ${intervalWord(w)} of ${formatValue(best.starts_at, "time", w)} (${
        money(numberOf(best.revenue), w)
      })`;
    },
    columns: [
      column("starts_at", "time", "from"),
      column("purchases", "count", "order lines"),
      column("quantity", "count", "pieces"),
      column("revenue", "money"),
    ],
    plot: { kind: "line", x: "starts_at", y: column("revenue", "money") },
    maxRows: 8,
  },
  {
    id: "funnel",
    title: "How do visits turn into purchases?",
    query: (w) =>
      `select value, viewed, carted, purchased, view_to_cart, cart_to_purchase, view_to_purchase\n` +
      `from shop.session_funnel(${span(w)})\nunion all\n` +
      `select value, viewed, carted, purchased, view_to_cart, cart_to_purchase, view_to_purchase\n` +
      `from shop.session_funnel(${span(w)}, 'device')\norder by viewed desc`,
    headline: (rows) => {
      const all = rows.find(({ value }) => value === "all");
      return all && numberOf(all.viewed) > 0
        ? `Of ${countOf(numberOf(all.viewed), "session")} that viewed a product ${
          share(all.view_to_cart)
        } put one into the cart, and ${share(all.view_to_purchase)} purchased`
        : null;
    },
    columns: [
      column("value", "text", "device"),
      column("viewed", "count"),
      column("carted", "count"),
      column("purchased", "count"),
      column("view_to_cart", "share", "view → cart"),
      column("cart_to_purchase", "share", "cart → purchase"),
      column("view_to_purchase", "share", "view → purchase"),
    ],
    plot: {
      kind: "bars",
      label: "value",
      value: column("view_to_purchase", "share", "view → purchase"),
    },
  },
  {
    id: "products",
    title: "What sells?",
    query: (w) =>
      `select product_id, product_name, category, views, carts, purchases, quantity, revenue\n` +
      `from shop.top_products('revenue', ${span(w)}, ${text(w.currency)})`,
    headline: ([first], w) =>
      first && numberOf(first.revenue) > 0
        ? `${first.product_name} leads with ${money(numberOf(first.revenue), w)}, sold ${
          times(numberOf(first.quantity))
        }`
        : null,
    columns: [
      column("product_name", "text", "product"),
      column("category", "text"),
      column("views", "count"),
      column("quantity", "count", "pieces"),
      column("revenue", "money"),
    ],
    plot: { kind: "bars", label: "product_name", value: column("revenue", "money") },
  },
  {
    id: "missed",
    title: "What is much viewed but little bought?",
    query: (w) =>
      `select product_id, product_name, category, views, purchases, purchases_per_view,\n` +
      `       usual_purchases_per_view, missing_purchases\n` +
      `from shop.viewed_but_not_bought(${span(w)}, min_views => 5)`,
    headline: ([first]) =>
      first
        ? `${first.product_name}: ${countOf(numberOf(first.views), "view")}, bought ${
          times(numberOf(first.purchases))
        }; ${numberOf(first.missing_purchases).toFixed(1)} purchases fewer than is usual here`
        : null,
    columns: [
      column("product_name", "text", "product"),
      column("category", "text"),
      column("views", "count"),
      column("purchases", "count"),
      column("purchases_per_view", "share", "bought per view"),
      column("missing_purchases", "ratio", "missing"),
    ],
    plot: {
      kind: "bars",
      label: "product_name",
      value: column("missing_purchases", "ratio", "missing purchases"),
    },
  },
  {
    id: "categories",
    title: "Which categories carry the shop?",
    query: (w) =>
      `select category, views, carts, purchases, revenue, purchases_per_view, revenue_share\n` +
      `from shop.category_performance(${span(w)}, levels => 1)\n` +
      `where ${inCurrency(w)}`,
    headline: ([first], w) =>
      first && numberOf(first.revenue) > 0
        ? `${first.category || "Without category"}: ${share(first.revenue_share)} of the revenue (${
          money(numberOf(first.revenue), w)
        })`
        : null,
    columns: [
      column("category", "text"),
      column("views", "count"),
      column("purchases", "count"),
      column("purchases_per_view", "share", "bought per view"),
      column("revenue", "money"),
      column("revenue_share", "share", "of revenue"),
    ],
    plot: { kind: "bars", label: "category", value: column("revenue", "money") },
    maxRows: 12,
  },
  {
    id: "carts",
    title: "What is left behind in carts?",
    query: (w) =>
      `select state, count(*) as carts, sum(pieces_left) as pieces_left, sum(value_left) as value_left\n` +
      `from shop.carts(${span(w)})\n` +
      `where ${inCurrency(w)}\n` +
      `group by state\norder by carts desc`,
    headline: (rows, w) => {
      const by = new Map(rows.map((row) => [row.state, row]));
      const closed = sumOf(rows.filter(({ state }) => state !== "open"), "carts");
      if (closed === 0) return null;
      const purchased = numberOf(by.get("purchased")?.carts);
      return `${share(1 - purchased / closed)} of carts are not bought; ${
        money(numberOf(by.get("abandoned")?.value_left), w)
      } were left in them`;
    },
    columns: [
      column("state", "text", "cart"),
      column("carts", "count"),
      column("pieces_left", "count", "pieces left"),
      column("value_left", "money", "value left"),
    ],
    plot: { kind: "bars", label: "state", value: column("carts", "count") },
  },
  {
    id: "orders",
    title: "What is an order worth?",
    query: (w) =>
      `select starts_at, orders, customers, revenue, average_order_value, median_order_value, lines_per_order\n` +
      `from shop.order_values('${chooseWidth(w)}', ${span(w)}, ${text(w.timeZone)})\n` +
      `where ${inCurrency(w)}`,
    headline: (rows, w) => {
      const orders = sumOf(rows, "orders");
      return orders === 0
        ? null
        : `${countOf(orders, "order")} of ${money(sumOf(rows, "revenue") / orders, w)} on average`;
    },
    columns: [
      column("starts_at", "time", "from"),
      column("orders", "count"),
      column("customers", "count"),
      column("average_order_value", "money", "average"),
      column("median_order_value", "money", "median"),
      column("lines_per_order", "ratio", "lines an order"),
    ],
    plot: {
      kind: "line",
      x: "starts_at",
      y: column("average_order_value", "money", "average order value"),
    },
    maxRows: 8,
  },
  {
    id: "customers",
    title: "Who are the customers?",
    query: (w) =>
      `select segment, count(*) as customers, sum(frequency) as orders, sum(monetary) as revenue\n` +
      `from shop.customer_value(${span(w)}, ${
        text(w.currency)
      })\ngroup by segment\norder by revenue desc`,
    headline: (rows, w) => {
      const champions = rows.find(({ segment }) => segment === "champions");
      const revenue = sumOf(rows, "revenue");
      if (revenue === 0) return null;
      const customers = countOf(sumOf(rows, "customers"), "customer");
      return champions
        ? `${customers}; the ${
          countOf(numberOf(champions.customers), "champion")
        } (recent and frequent) bring ${
          share(numberOf(champions.revenue) / revenue)
        } of the revenue`
        : `${customers} bring ${money(revenue, w)}`;
    },
    columns: [
      column("segment", "text"),
      column("customers", "count"),
      column("orders", "count"),
      column("revenue", "money"),
    ],
    plot: { kind: "bars", label: "segment", value: column("revenue", "money") },
  },
  {
    id: "retention",
    title: "Do they come back?",
    query: (w) =>
      `select to_char(cohort_week, 'YYYY-MM-DD') as week, weeks_later, cohort_users, active_users, retention\n` +
      `from shop.weekly_cohorts(${span(atLeast(w, 56))}, ${text(w.timeZone)})`,
    headline: (rows) => {
      const next = rows.filter(({ weeks_later }) => numberOf(weeks_later) === 1);
      const users = sumOf(next, "cohort_users");
      if (rows.length === 0) return null;
      return users === 0
        ? `${
          countOf(sumOf(rows, "cohort_users"), "user")
        } came for the first time; the week after is still to come`
        : `Of ${countOf(users, "user")} ${
          share(sumOf(next, "active_users") / users)
        } came back in the week after their first`;
    },
    columns: [
      column("week", "text", "first seen"),
      column("weeks_later", "count", "weeks later"),
      column("cohort_users", "count", "users"),
      column("active_users", "count", "active"),
      column("retention", "share"),
    ],
    plot: {
      kind: "grid",
      row: "week",
      column: "weeks_later",
      value: column("retention", "share"),
      rowLabel: String,
      columnLabel: (value) => `+${value}`,
    },
    maxRows: 0,
  },
  {
    id: "hours",
    title: "When do they come?",
    query: (w) =>
      `select weekday, hour, events, views, carts, purchases\n` +
      `from shop.hour_by_weekday(${span(atLeast(w, 28))}, ${text(w.timeZone)})`,
    headline: (rows) => {
      const best = largest(rows, "events");
      return best === undefined || numberOf(best.events) === 0
        ? null
        : `Most on ${WEEKDAYS[numberOf(best.weekday) - 1]} at ${clock(best.hour)}: ${
          share(numberOf(best.events) / sumOf(rows, "events"))
        } of all events`;
    },
    columns: [
      column("weekday", "count"),
      column("hour", "count"),
      column("events", "count"),
      column("purchases", "count"),
    ],
    plot: {
      kind: "grid",
      row: "weekday",
      column: "hour",
      value: column("events", "count"),
      rowLabel: (value) => WEEKDAYS[numberOf(value) - 1] ?? "",
      columnLabel: (value) => String(value).padStart(2, "0"),
    },
    maxRows: 0,
  },
];

/** Patterns of weeks need weeks: a shorter period is extended into the past. */
function atLeast(window: ReportWindow, days: number): ReportWindow {
  const from = Math.min(window.from.getTime(), window.to.getTime() - days * DAY_MS);
  return { ...window, from: new Date(from) };
}

function span({ from, to }: ReportWindow): string {
  return `'${from.toISOString()}', '${to.toISOString()}'`;
}

function inCurrency({ currency }: ReportWindow): string {
  return currency === null ? "true" : `currency = ${text(currency)}`;
}

/** Currencies and names of time zones, checked when they were read. */
function text(value: string | null): string {
  return value === null ? "null" : `'${value.replaceAll("'", "''")}'`;
}

function largest(rows: readonly Row[], column: string): Row | undefined {
  return rows.reduce<Row | undefined>(
    (best, row) =>
      best === undefined || numberOf(row[column]) > numberOf(best[column]) ? row : best,
    undefined,
  );
}

function intervalWord(window: ReportWindow): string {
  return chooseWidth(window) === "7 days" ? "week" : chooseWidth(window).replace(/^1 /, "");
}

function money(amount: number, { currency }: ReportWindow): string {
  return `${currency === null ? "" : `${currency} `}${formatMoney(amount)}`;
}

function share(value: Value | undefined): string {
  return `${(numberOf(value) * 100).toFixed(1)} %`;
}

function times(number: number): string {
  return number === 0 ? "never" : number === 1 ? "once" : `${count(number)} times`;
}

function clock(hour: Value | undefined): string {
  return `${String(hour).padStart(2, "0")}:00`;
}
