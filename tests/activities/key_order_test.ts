import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { inKeyOrder } from "../../activities/statements/key_order.ts";
import { CodedColumn, PlacedColumn } from "../../domain/accepted_records.ts";

/** Few prefixes, so that many are alike in their first digits or as a whole. */
const id = fc.tuple(
  fc.constantFrom(
    "00000000-0000",
    "ffffffff-ffff",
    "019c1234-5678",
    "019c1234-5679",
    "819c1234-5678",
  ),
  fc.constantFrom("7abc-8def-0123456789ab", "7abc-8def-0123456789ac", "0000-0000-000000000000"),
).map((parts) => parts.join("-"));
const ids = fc.array(fc.oneof(id, fc.uuid()), { maxLength: 200 });

Deno.test("inKeyOrder() sorts by id, then by row, of whatever column the ids are", () => {
  fc.assert(fc.property(ids, fc.func(fc.boolean()), (texts, isWanted) => {
    const raw = texts.join(",");
    const placed = new PlacedColumn(Buffer.from(raw), texts.length);
    const apart = new PlacedColumn(Buffer.alloc(0), 0);
    const coded = new CodedColumn(texts.length);
    for (const [row, text] of texts.entries()) {
      placed.pushPlace(row * 37, row * 37 + 36);
      apart.push(text);
      coded.push(text);
    }
    const rows = texts.flatMap((_, row) => isWanted(row) ? [row] : []);
    const expected = rows.toSorted((a, b) => compare(texts[a]!, texts[b]!) || a - b);
    for (const column of [placed, apart, coded]) {
      assert.deepEqual([...inKeyOrder(column, rows)], expected);
    }
  }));
});

Deno.test("inKeyOrder() of more rows than half of the number has room for", () => {
  const length = 150_000;
  const raw = Array.from(
    { length },
    (_, row) => `${(row % 7).toString(16).padStart(8, "0")}-000${row % 3}-7000-8000-000000000000`,
  );
  const column = new PlacedColumn(Buffer.from(raw.join("")), length);
  for (let row = 0; row < length; row++) column.pushPlace(row * 36, row * 36 + 36);
  const rows = Int32Array.from(raw.keys());
  const expected = [...rows].sort((a, b) => compare(raw[a]!, raw[b]!) || a - b);
  assert.deepEqual([...inKeyOrder(column, rows)], expected);
});

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
