import assert from "node:assert/strict";
import { ensureProducts } from "../../activities/statements/ensure_products.ts";
import { mapHeader } from "../../domain/map_header.ts";
import { type ChunkBatch, readChunk } from "../../domain/read_chunk.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { NAMES } from "../domain/_shop_event.ts";
import { event, line } from "./_events.ts";
import { type Warehouse, warehouse } from "./_warehouse.ts";

Deno.test("ensureProducts() writes again what a crash of the server may have lost", async () => {
  await using house = await warehouse();
  const { sql } = house.deps;
  const batch = batchOf("Oak chair");
  await ensureProducts(sql, SHOP_EVENTS, batch);
  // As if the server had gone down before the events were committed.
  await house.admin`truncate shop.products`;
  const remember = await ensureProducts(sql, SHOP_EVENTS, batch);
  assert.deepEqual(await names(house), ["Oak chair"]);
  remember();
  await house.admin`truncate shop.products`;
  await ensureProducts(sql, SHOP_EVENTS, batch);
  assert.deepEqual(await names(house), [], "what is known costs no statement");
});

Deno.test("ensureProducts() does not wait for the disk, and only it", async () => {
  await using house = await warehouse();
  const { sql } = house.deps;
  await house.admin`
    create function public.note_commit() returns trigger language plpgsql as $$
    begin
      insert into public.commits values (current_setting('synchronous_commit'));
      return null;
    end $$`;
  await house.admin`create table public.commits (setting text)`;
  await house.admin`grant insert on public.commits to clickledger_ingest`;
  await house.admin`
    create constraint trigger note_commit after insert on shop.products deferrable initially deferred
    for each row execute function public.note_commit()`;
  await ensureProducts(sql, SHOP_EVENTS, batchOf("Oak chair"));
  const [commit] = await house.admin`select setting from public.commits`;
  assert.equal(commit?.setting, "off");
  const settings = await Promise.all(
    Array.from({ length: 6 }, () => sql`show synchronous_commit`),
  );
  for (const [row] of settings) assert.equal(row?.synchronous_commit, "on");
});

function batchOf(productName: string): ChunkBatch {
  const header = mapHeader(SHOP_EVENTS, NAMES);
  assert.ok(header.ok);
  const text = line(event(1, { product_name: productName }));
  return readChunk(new TextEncoder().encode(text), {
    contract: SHOP_EVENTS,
    dialect: { delimiter: ",", bomBytes: 0 },
    mapping: header.mapping,
    discoveredAt: Date.UTC(2026, 5, 1),
    firstLine: 2,
    byteStart: 0,
  });
}

async function names({ admin }: Warehouse): Promise<string[]> {
  const rows = await admin<{ product_name: string }[]>`select product_name from shop.products`;
  return rows.map(({ product_name }) => product_name);
}
