import type { Transaction } from "../database.ts";
import { plainArray } from "./array_literal.ts";
import { copyRows } from "./copy_rows.ts";
import type { RollupRows } from "./rollup_rows.ts";

/**
 * Copies what a batch changes in both rollups: straight into the bases where these have nothing of a minute or hour yet,
 * else as deltas, of which the folder makes one row a group. So a group gets no more rows in a base than chunks were
 * copied at once, and one of the folder's.
 *
 * @param tx Transaction of the chunk.
 * @param rollups Rows of each.
 */
export async function copyRollups(
  tx: Transaction,
  { minutes, products }: { minutes: RollupRows; products: RollupRows },
): Promise<void> {
  const known = await tx<{ minute: number | null; hour: number | null }[]>`
    select m as minute, null::bigint as hour
    from unnest(${plainArray(minutes.periods)}::bigint[]) m
    where exists (select from shop.minute_rollup_base b where b.minute = to_timestamp(m / 1000.0))
    union all
    select null, h
    from unnest(${plainArray(products.periods)}::bigint[]) h
    where exists (select from shop.product_rollup_base b where b.hour = to_timestamp(h / 1000.0))`;
  await copyParts(tx, minutes, new Set(known.map(({ minute }) => minute)));
  await copyParts(tx, products, new Set(known.map(({ hour }) => hour)));
}

async function copyParts(
  tx: Transaction,
  rows: RollupRows,
  known: ReadonlySet<number | null>,
): Promise<void> {
  await copyRows(tx, rows.copyInto("base"), rows.piecesOf((period) => !known.has(period)));
  await copyRows(tx, rows.copyInto("delta"), rows.piecesOf((period) => known.has(period)));
}
