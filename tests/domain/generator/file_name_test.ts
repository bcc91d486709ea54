import assert from "node:assert/strict";
import fc from "fast-check";
import { formatFileName, parseFileName } from "../../../domain/generator/file_name.ts";

Deno.test("parseFileName() reads what formatFileName() wrote", () => {
  const names = fc.record({
    feedTime: fc.integer({ min: 0, max: 253_402_300_799 }).map((seconds) => seconds * 1000),
    sequence: fc.integer({ min: 0, max: 999_999_999_999_999 }),
    gzip: fc.boolean(),
  }, { noNullPrototype: true });
  fc.assert(fc.property(names, (name) => {
    assert.deepEqual(parseFileName(formatFileName(name)), name);
  }));
});

Deno.test("formatFileName() sorts by time, then sequence", () => {
  const names = [[0, 9], [0, 10], [1000, 2], [86_400_000, 1]].map(([feedTime, sequence]) =>
    formatFileName({ feedTime: feedTime!, sequence: sequence!, gzip: false })
  );
  assert.deepEqual(names, names.toSorted());
  assert.equal(names[1], "events-19700101T000000Z-000010.csv");
});

for (
  const name of [
    "",
    "events-20240101T000000Z-000001",
    "events-20240101T000000Z-1.csv",
    "events-20240101T000000Z-0000001.csv",
    "events-20240230T000000Z-000001.csv",
    "events-20240101T240000Z-000001.csv",
    "events-20240101T000000Z-000001.csv.zst",
    "./events-20240101T000000Z-000001.csv",
    "events-20240101T000000Z-000001.csv\n",
  ]
) {
  Deno.test(`parseFileName() refuses ${JSON.stringify(name)}`, () => {
    assert.equal(parseFileName(name), undefined);
  });
}
