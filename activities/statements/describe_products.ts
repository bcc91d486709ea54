import type { Codes } from "../../domain/accepted_records.ts";
import type { Contract } from "../../domain/contract.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import type { Sql, Transaction } from "../database.ts";
import { plainArray, textArray } from "./array_literal.ts";
import { type Descriptions, KnownProducts } from "./known_products.ts";
import { codesOf } from "./values_of.ts";

/** Descriptions that this process knows to be there for good, by pool; what it forgets is only written once more. */
const knownProducts = new WeakMap<Sql, KnownProducts>();

/** What events say of products, as far as it is not known to be there. */
export interface NewDescriptions {
  /**
   * Writes them into `shop.products` with one statement, sent at once. Until the transaction ends, others that describe one
   * of these products wait for it: it must be the last to lock anything.
   */
  write(tx: Transaction): Promise<void>;
  /** The same in a transaction of its own, whose commit does not wait for the disk. */
  writeAhead(): Promise<void>;
  /** To be called once they are there for good. */
  remember(): void;
}

/**
 * Finds what is to be written so that `shop.products` describes the products of some events as the newest of them does.
 *
 * @param sql Pool of the ingest role.
 * @param contract Tells the columns apart.
 * @param batch The events.
 * @returns null when all is known.
 */
export function describeProducts(
  sql: Sql,
  contract: Contract,
  batch: Pick<ChunkBatch, "accepted">,
): NewDescriptions | null {
  if (batch.accepted.lines.length === 0) return null;
  const products = descriptionsOf(contract, batch);
  const there = knownTo(sql, products);
  const changed = there.see(products);
  if (changed.length === 0) return null;
  return {
    write: (tx) => writeProducts(tx, products, changed),
    writeAhead: () => writeProducts(sql, products, changed, { waits: false }),
    remember() {
      for (const row of changed) there.remember(products, row);
    },
  };
}

/** What is known of products, if batches before shared their values; else all begins anew. */
function knownTo(sql: Sql, products: Descriptions): KnownProducts {
  let known = knownProducts.get(sql);
  if (known === undefined || !known.canTell(products)) {
    knownProducts.set(sql, known = new KnownProducts(products));
  }
  return known;
}

function descriptionsOf(
  contract: Contract,
  batch: Pick<ChunkBatch, "accepted">,
): Descriptions {
  const column = (name: string) => codesOf(contract, batch, name);
  return {
    id: column("product_id"),
    name: column("product_name"),
    category: column("category"),
    brand: column("brand"),
    seenAt: batch.accepted.eventMicros.items(),
  };
}

/** In the order of their ids: two that write the same ones wait for each other instead of deadlocking. */
async function writeProducts(
  sql: Sql | Transaction,
  { id, name, category, brand, seenAt }: Descriptions,
  changed: readonly number[],
  { waits = true }: { waits?: boolean } = {},
): Promise<void> {
  const idOf = (row: number) => id.values[id.codeOf[row]!]!;
  const rows = changed.toSorted((a, b) => idOf(a) < idOf(b) ? -1 : 1);
  const texts = ({ codeOf, values }: Codes<string>) =>
    textArray(rows.map((row) => values[codeOf[row]!]!));
  await sql`
    insert into shop.products as known (product_id, product_name, category, brand, seen_at)
    select p.product_id, p.product_name, p.category, p.brand, to_timestamp(p.seen_at / 1000000.0)
    from unnest(${texts(id)}::text[], ${texts(name)}::text[], ${texts(category)}::text[],
                ${texts(brand)}::text[], ${plainArray(rows.map((row) => seenAt[row]!))}::bigint[])
      as p (product_id, product_name, category, brand, seen_at)
         ${
    waits ? sql`` : sql`, (select set_config('synchronous_commit', 'off', true)) as not_waiting`
  }
    on conflict (product_id) do update
      set product_name = excluded.product_name, category = excluded.category, brand = excluded.brand,
          seen_at = excluded.seen_at
      where excluded.seen_at > known.seen_at
        and (known.product_name, known.category, known.brand) is distinct from
            (excluded.product_name, excluded.category, excluded.brand)`;
}
