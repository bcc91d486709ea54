import assert from "node:assert/strict";
import { csvOf, event, line } from "./_events.ts";
import { claim, ingest } from "./_ingest.ts";
import { type Warehouse, warehouse } from "./_warehouse.ts";

const HEADER_BYTES = csvOf().length;

Deno.test("loadChunk() keeps the bytes of a reject as they were", async () => {
  await using house = await warehouse();
  const broken: [code: string, bytes: Uint8Array][] = [
    ["nul_byte", bytesOf("a,\0b,c")],
    ["invalid_utf8", Uint8Array.of(0x61, 0xff, 0xfe, 0x2c, 0x80)],
    ["wrong_column_count", bytesOf(`back\\slash,"it's",{1,2}`)],
    ["repeated_header", bytesOf(csvOf().trimEnd())],
  ];
  const good = bytesOf(line(event(1)));
  const file = join([
    bytesOf(csvOf()),
    ...broken.flatMap(([_, bytes]) => [bytes, bytesOf("\n")]),
    good,
  ]);
  const result = await ingest(house, await house.land("a.csv", file));
  assert.deepEqual([result.records, result.loaded, result.rejected], [5, 1, 4]);
  const rejects = await readRejects(house);
  let byteStart = HEADER_BYTES;
  for (const [index, [code, bytes]] of broken.entries()) {
    assert.deepEqual(rejects[index], {
      line_number: index + 2,
      byte_start: byteStart,
      byte_length: bytes.length,
      raw_truncated: false,
      codes: [code],
      raw: bytes.toHex(),
    });
    byteStart += bytes.length + 1;
  }
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() keeps 64 KiB of a long reject and says so", async () => {
  await using house = await warehouse();
  const fits = `x,${"y".repeat(64 * 1024 - 2)}`;
  const cut = `x,${"z".repeat(64 * 1024 - 1)}`;
  await ingest(house, await house.land("a.csv", csvOf(`${fits}\n`, `${cut}\n`, line(event(1)))));
  const [first, second] = await readRejects(house);
  assert.deepEqual([first?.raw_truncated, first?.byte_length], [false, 64 * 1024]);
  assert.deepEqual([second?.raw_truncated, second?.byte_length], [true, 64 * 1024 + 1]);
  assert.equal(second?.raw, bytesOf(cut.slice(0, -1)).toHex());
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() keeps more rejects than fit one statement", async () => {
  await using house = await warehouse({ chunkBytes: 1_000_000 });
  const lines = Array.from({ length: 2_500 }, (_, index) => `bad,${index}\n`);
  const result = await ingest(house, await house.land("a.csv", csvOf(...lines)));
  assert.deepEqual([result.loaded, result.rejected], [0, 2_500]);
  assert.deepEqual(await house.violations(), []);
});

Deno.test("loadChunk() counts the records that a broken quote was holding", async () => {
  await using house = await warehouse();
  // The quote opens on the first line and closes on the third: the plan takes the three for one record.
  const opened = event(1, { product_name: `"7 inch` });
  const closed = event(3, { product_name: `7 inch"` });
  const plain = (record: typeof opened) => Object.values(fieldsOf(record)).join(",") + "\n";
  const text = csvOf(plain(opened), line(event(2)), plain(closed), line(event(4)));
  const job = await house.job(await house.land("a.csv", text));
  const planned = await claim(house, job);
  const result = await ingest(house, job);
  assert.equal(planned.records, 2);
  assert.deepEqual([result.records, result.loaded, result.rejected], [4, 4, 0]);
  const loaded = await house.admin`select product_name, line_number from shop.events order by 2`;
  assert.deepEqual(loaded.map((row) => [row.line_number, row.product_name]), [
    [2, `"7 inch`],
    [3, "Oak chair"],
    [4, `7 inch"`],
    [5, "Oak chair"],
  ]);
  assert.deepEqual(await house.violations(), []);
});

async function readRejects({ admin }: Warehouse) {
  const rows = await admin`
    select line_number, byte_start::int as byte_start, byte_length::int as byte_length, raw_truncated,
           (select array_agg(f ->> 'code') from jsonb_array_elements(faults) f) as codes,
           encode(raw, 'hex') as raw
    from ingest.rejects order by line_number`;
  return rows.map((row) => ({ ...row }) as Record<string, unknown>);
}

/** In the order of the contract, so that no quoting is added. */
function fieldsOf(record: Readonly<Record<string, string>>): string[] {
  return csvOf().trimEnd().split(",").map((name) => record[name] ?? "");
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function join(parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
