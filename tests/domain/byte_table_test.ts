import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ByteTable, NOT_THERE } from "../../domain/_byte_table.ts";

Deno.test({
  name: "ByteTable finds all of many values that follow one another",
  permissions: "none",
  fn() {
    const series: ((n: number) => string)[] = [
      (n) => `${n}`,
      (n) => `${10_000_000 + n}`,
      (n) => `P-${n * 7919}`,
      (n) => n.toString(36),
      (n) => (n / 100).toFixed(2),
    ];
    for (const textOf of series) {
      const table = new ByteTable(2);
      const entries = Array.from({ length: 50_000 }, (_, n) => {
        const bytes = Buffer.from(`<${textOf(n)}>`);
        const place = [bytes, 1, bytes.length - 1] as const;
        assert.equal(table.find(...place, 3), NOT_THERE);
        table.add({ bytes, from: 1, to: bytes.length - 1, mark: 3 }, [n, ~n]);
        return place;
      });
      assert.equal(table.size, entries.length);
      entries.forEach((place, n) => {
        const entry = table.find(...place, 3);
        assert.deepEqual([table.numberOf(entry, 0), table.numberOf(entry, 1)], [n, ~n]);
        assert.equal(table.find(...place, 4), NOT_THERE);
      });
    }
  },
});
