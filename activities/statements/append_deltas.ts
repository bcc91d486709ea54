/** Columns of `shop.events` that the rollups are made from, in a `returning` or `select`. */
export const ROLLED_UP_COLUMNS =
  "event_time, event_type, product_id, category, device, currency, quantity, price";

/**
 * The end of a statement that appends what some events change in the rollups. Deltas are appended, never upserted: a
 * shared rollup row would make a small file wait for a large one.
 *
 * @param source Common table expression of the events, with {@linkcode ROLLED_UP_COLUMNS}.
 * @param sign `+` when they came, `-` when they went.
 */
export function appendDeltas(source: string, sign: "+" | "-"): string {
  return `,
    minutes as (
      insert into shop.minute_rollup_delta
        (minute, event_type, category, device, currency, events, quantity, revenue)
      select date_trunc('minute', s.event_time, 'UTC'), s.event_type, s.category, s.device, s.currency,
             ${sign}count(*), ${sign}sum(s.quantity), ${sign}sum(s.price * s.quantity)
      from ${source} s
      group by 1, 2, 3, 4, 5
    )
    insert into shop.product_rollup_delta
      (hour, product_id, currency, views, carts, removals, purchases, quantity, revenue)
    select date_trunc('hour', s.event_time, 'UTC'), s.product_id, s.currency,
           ${sign}count(*) filter (where s.event_type = 'product_view'),
           ${sign}count(*) filter (where s.event_type = 'add_to_cart'),
           ${sign}count(*) filter (where s.event_type = 'remove_from_cart'),
           ${sign}count(*) filter (where s.event_type = 'purchase'),
           ${sign}coalesce(sum(s.quantity) filter (where s.event_type = 'purchase'), 0),
           ${sign}coalesce(sum(s.price * s.quantity) filter (where s.event_type = 'purchase'), 0)
    from ${source} s
    group by 1, 2, 3`;
}
