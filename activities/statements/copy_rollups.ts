import type { Transaction } from "../database.ts";
import { plainArray } from "./array_literal.ts";
import { copyRows } from "./copy_rows.ts";
import { HOUR_MS, type RollupRows } from "./rollup_rows.ts";

/** What a chunk has copied of an hour: its first and last minute with groups, milliseconds since 1970. */
export interface RollupCopy {
  readonly first: number;
  readonly last: number;
}

/** Where the groups of a chunk go. */
export interface RollupRoutes {
  /** Periods of which a copy is added; all others go as deltas. */
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  /** What is to be known of it from then on: one for each hour that something is copied of. */
  readonly copies: readonly RollupCopy[];
}

/**
 * So many times at most is a period copied, by loads that see each other. Neighbours in a file share a period, and a
 * delta costs several times what a copied row does; what many share would give queries too many rows to sum up.
 */
const MOST_COPIES = 2;

/** What a batch changes in both rollups. */
export interface Rollups {
  readonly minutes: RollupRows;
  readonly products: RollupRows;
}

/**
 * The steps that copy what a batch changes in both rollups: to where rows are only appended, unless enough was copied of
 * a minute or hour before; else as deltas, of which the folder makes one row a group.
 *
 * @param tx Transaction of the chunk.
 * @param rollups Rows of each.
 * @param routes Where they go.
 * @returns For `copyInOneGo`.
 */
export function copyRollups(
  tx: Transaction,
  { minutes, products }: Rollups,
  routes: RollupRoutes,
): (() => Promise<void>)[] {
  return [
    ...copyParts(tx, minutes, routes.minutes),
    ...copyParts(tx, products, routes.hours),
  ];
}

/**
 * Tells which groups of a chunk are copied.
 *
 * @param minutes Those it has groups of, ascending.
 * @param before What was copied of the same hours.
 */
export function routeRollups(
  minutes: readonly number[],
  before: readonly RollupCopy[],
): RollupRoutes {
  const known = Map.groupBy(before, ({ first }) => hourOf(first));
  const routes = {
    minutes: new Set<number>(),
    hours: new Set<number>(),
    copies: [] as RollupCopy[],
  };
  for (const [hour, ofHour] of Map.groupBy(minutes, hourOf)) {
    const copies = known.get(hour) ?? [];
    const copied = ofHour.filter((minute) =>
      copies.filter(({ first, last }) => first <= minute && minute <= last).length < MOST_COPIES
    );
    if (copied.length === 0) continue;
    for (const minute of copied) routes.minutes.add(minute);
    // Whoever copied a minute of it before has copied the hour as well, unless there was enough of that.
    if (copies.length < MOST_COPIES) routes.hours.add(hour);
    routes.copies.push({ first: copied[0]!, last: copied.at(-1)! });
  }
  return routes;
}

function hourOf(time: number): number {
  return Math.floor(time / HOUR_MS) * HOUR_MS;
}

/** Tells where the rollups of a chunk go, by what is known of copies before. */
export async function findRoutes(
  tx: Transaction,
  { minutes, products }: Rollups,
): Promise<RollupRoutes> {
  return routeRollups(minutes.periods, await readCopies(tx, products.periods));
}

async function readCopies(tx: Transaction, hours: readonly number[]): Promise<RollupCopy[]> {
  return await tx<RollupCopy[]>`
    select (extract(epoch from c.first_minute) * 1000)::bigint as first,
           (extract(epoch from c.last_minute) * 1000)::bigint as last
    from unnest(${plainArray(hours)}::bigint[]) h
    join shop.rollup_copies c
      on c.last_minute >= to_timestamp(h / 1000) and c.last_minute < to_timestamp(h / 1000 + 3600)`;
}

/** Makes known what was copied. */
export async function insertCopies(
  tx: Transaction,
  { copies }: RollupRoutes,
): Promise<void> {
  if (copies.length === 0) return;
  await tx`
    insert into shop.rollup_copies (first_minute, last_minute)
    select to_timestamp(c.first / 1000), to_timestamp(c.last / 1000)
    from unnest(${plainArray(copies.map(({ first }) => first))}::bigint[],
                ${plainArray(copies.map(({ last }) => last))}::bigint[]) as c (first, last)`;
}

function copyParts(
  tx: Transaction,
  rows: RollupRows,
  copied: ReadonlySet<number>,
): (() => Promise<void>)[] {
  return [
    () => copyRows(tx, rows.copyInto("bulk"), rows.piecesOf((period) => copied.has(period))),
    () => copyRows(tx, rows.copyInto("delta"), rows.piecesOf((period) => !copied.has(period))),
  ];
}
