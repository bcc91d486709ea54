import { Buffer } from "node:buffer";
import type { Codes } from "../../domain/accepted_records.ts";
import type { Contract } from "../../domain/contract.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import type { Sql } from "../database.ts";
import { plainArray, textArray } from "./array_literal.ts";
import { codesOf } from "./values_of.ts";

/** A product as an event describes it. */
interface Product {
  id: string;
  name: string;
  category: string;
  brand: string;
  /** Time of the event, microseconds since 1970. */
  seenAt: number;
}

/** Descriptions that this process knows to be there for good, by pool. */
const knownProducts = new WeakMap<Sql, Map<string, Product>>();

/** Beyond it the memory begins anew; what was forgotten is only written once more. */
const MAX_KNOWN = 200_000;

/**
 * Makes sure, in a transaction of its own, that `shop.products` describes the products of some events as the newest of
 * them does. Descriptions seen before cost nothing. Its commit does not wait for the disk: that of the events, which comes
 * later in the log of the server, waits for both.
 *
 * @param sql Pool of the ingest role.
 * @param contract Tells the columns apart.
 * @param batch The events; they need not be loaded yet, nor ever.
 * @returns To be called when the events are committed: until then the server may lose the descriptions in a crash.
 */
export async function ensureProducts(
  sql: Sql,
  contract: Contract,
  batch: Pick<ChunkBatch, "accepted">,
): Promise<() => void> {
  let known = knownProducts.get(sql);
  if (known === undefined || known.size > MAX_KNOWN) {
    knownProducts.set(sql, known = new Map());
  }
  const there = known;
  const changed = findChanged(there, contract, batch);
  if (changed.length > 0) await writeProducts(sql, changed);
  return () => {
    for (const product of changed) there.set(product.id, product);
  };
}

function findChanged(
  known: ReadonlyMap<string, Product>,
  contract: Contract,
  batch: Pick<ChunkBatch, "accepted">,
): Product[] {
  const { eventMicros } = batch.accepted;
  const column = (name: string) => codesOf(contract, batch, name);
  const ids = column("product_id");
  const descriptions = [column("product_name"), column("category"), column("brand")];
  const changed: Product[] = [];
  for (const row of newestRows(ids, eventMicros)) {
    const id = ids.values[ids.codeOf[row]!]!;
    const [name, category, brand] = descriptions.map(({ codeOf, values }) => values[codeOf[row]!]!);
    const product = known.get(id);
    const seenAt = eventMicros[row]!;
    if (product !== undefined) {
      if (seenAt <= product.seenAt) continue;
      const isSame = product.name === name && product.category === category &&
        product.brand === brand;
      if (isSame) {
        product.seenAt = seenAt;
        continue;
      }
    }
    changed.push({
      id: copy(id),
      name: copy(name!),
      category: copy(category!),
      brand: copy(brand!),
      seenAt,
    });
  }
  return changed;
}

/** Of each product the row of its newest event, the first of several: no other one has a say. */
function newestRows(
  { codeOf, values }: Codes<string>,
  eventMicros: readonly number[],
): number[] {
  const newest: number[] = new Array(values.length).fill(NO_ROW);
  for (let row = 0; row < eventMicros.length; row++) {
    const code = codeOf[row]!;
    const known = newest[code]!;
    if (known === NO_ROW || eventMicros[row]! > eventMicros[known]!) newest[code] = row;
  }
  return newest.filter((row) => row !== NO_ROW);
}

/** Of a product that only records which were refused name. */
const NO_ROW = -1;

/** Values share memory with the text of their chunk, which would stay as long as they do. */
function copy(value: string): string {
  return Buffer.from(value).toString();
}

/** In the order of their ids: two that write the same ones wait for each other instead of deadlocking. */
async function writeProducts(sql: Sql, products: Product[]): Promise<void> {
  products.sort((a, b) => a.id < b.id ? -1 : 1);
  await sql`
    with not_waiting as (select set_config('synchronous_commit', 'off', true))
    insert into shop.products as known (product_id, product_name, category, brand, seen_at)
    select p.product_id, p.product_name, p.category, p.brand, to_timestamp(p.seen_at / 1000000.0)
    from unnest(${textArray(products.map(({ id }) => id))}::text[],
                ${textArray(products.map(({ name }) => name))}::text[],
                ${textArray(products.map(({ category }) => category))}::text[],
                ${textArray(products.map(({ brand }) => brand))}::text[],
                ${plainArray(products.map(({ seenAt }) => seenAt))}::bigint[])
      as p (product_id, product_name, category, brand, seen_at), not_waiting
    on conflict (product_id) do update
      set product_name = excluded.product_name, category = excluded.category, brand = excluded.brand,
          seen_at = excluded.seen_at
      where excluded.seen_at > known.seen_at
        and (known.product_name, known.category, known.brand) is distinct from
            (excluded.product_name, excluded.category, excluded.brand)`;
}
