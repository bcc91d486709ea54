import { deepEqual } from "node:assert/strict";
import type { StageDatabase } from "./stage.ts";

/** What a load left, in figures that two ways of loading must agree on. */
export interface Contents {
  readonly events: number;
  readonly revenue: string;
  readonly keys: number;
  readonly products: number;
  readonly minuteEvents: number;
  readonly minuteRevenue: string;
  readonly productEvents: number;
  readonly productRevenue: string;
}

/** Reads it from the events, the keys and the rollups. */
export async function readContents({ sql }: StageDatabase): Promise<Contents> {
  const [contents] = await sql<Contents[]>`
    select e.events, e.revenue::text as revenue, k.keys, p.products,
           m.events as "minuteEvents", m.revenue::text as "minuteRevenue",
           r.events as "productEvents", r.revenue::text as "productRevenue"
    from (select count(*) as events,
                 coalesce(sum(price * quantity) filter (where event_type = 'purchase'), 0) as revenue
          from shop.events) e,
         (select count(*) as keys from ingest.event_keys) k,
         (select count(*) as products from shop.products) p,
         (select coalesce(sum(events), 0)::bigint as events,
                 coalesce(sum(revenue) filter (where event_type = 'purchase'), 0) as revenue
          from shop.minute_rollup_parts) m,
         (select coalesce(sum(views + carts + removals + purchases), 0)::bigint as events,
                 coalesce(sum(revenue), 0) as revenue
          from shop.product_rollup_parts) r`;
  return contents!;
}

/** @throws when the events, the keys and the rollups contradict each other */
export async function readConsistent(database: StageDatabase): Promise<Contents> {
  const contents = await readContents(database);
  const { events, revenue } = contents;
  deepEqual(contents, {
    ...contents,
    keys: events,
    minuteEvents: events,
    minuteRevenue: revenue,
    productEvents: events,
    productRevenue: revenue,
  });
  return contents;
}
