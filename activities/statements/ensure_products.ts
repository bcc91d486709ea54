import type { Contract } from "../../domain/contract.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import type { Sql } from "../database.ts";
import { describeProducts } from "./describe_products.ts";

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
  const descriptions = describeProducts(sql, contract, batch);
  if (descriptions === null) return () => {};
  await descriptions.writeAhead();
  return descriptions.remember;
}
