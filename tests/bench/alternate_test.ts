import assert from "node:assert/strict";
import { alternate, compare, quantile } from "../../scripts/bench/alternate.ts";

Deno.test("alternate() lets contenders take turns, every other round backwards", async () => {
  const order: string[] = [];
  let figure = 0;
  const contender = (name: string) => () => {
    order.push(name);
    return Promise.resolve(++figure);
  };
  const figures = await alternate({ a: contender("a"), b: contender("b") }, {
    runs: 3,
    onRun: () => {},
  });
  assert.equal(order.join(""), "abbaab");
  assert.deepEqual(figures, { a: [1, 4, 5], b: [2, 3, 6] });
});

Deno.test("compare() takes the median of the pairs' ratios, not the ratio of medians", () => {
  const expected = { ours: 20, rival: 10, ratio: 1, ofRuns: [1, 0.5, 3] };
  assert.deepEqual(compare([10, 20, 30], [10, 40, 10]), expected);
});

Deno.test("quantile() is the least value that the share is not above", () => {
  const values = Array.from({ length: 300 }, (_, index) => 300 - index);
  assert.equal(quantile(values, 0.5), 150);
  assert.equal(quantile(values, 0.99), 297);
  assert.equal(quantile(values, 1), 300);
  assert.equal(quantile([7, 8, 9], 0.5), 8);
  assert.equal(quantile([7], 0.99), 7);
});
