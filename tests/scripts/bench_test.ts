import assert from "node:assert/strict";
import { testConfig } from "../../scripts/_test_services.ts";
import { runBench } from "../../scripts/bench/run_bench.ts";
import { benchWarehouse } from "../../scripts/bench/warehouse_bench.ts";
import { tempDir } from "../harness.ts";
import type { Bench } from "../bench/bench.ts";
import { BENCHES } from "../bench/benches.ts";

for (const bench of BENCHES) {
  Deno.test(`deno task bench --only ${bench.name} runs, with right results`, async () => {
    const results = await runBench(bench, { records: 300, runs: 1 });
    assert.ok(results.length > 1);
    for (const { records, recordsPerSecond } of results) {
      assert.ok(records >= 1 && recordsPerSecond > 0);
    }
  });
}

Deno.test("runBench() compares with the rival on the same input", async () => {
  const wait = (ms: number) => () => new Promise((resolve) => setTimeout(resolve, ms));
  const bench: Bench = {
    name: "waiting",
    about: "",
    prepare: (records) => [
      { input: "a", what: "fast", run: () => wait(10)().then(() => ({ records, bytes: 1e6 })) },
      { input: "a", what: "slow", isRival: true, run: () => wait(60)().then(() => ({ records })) },
      { input: "b", what: "alone", run: () => ({ records }) },
    ],
  };
  const [fast, slow, alone] = await runBench(bench, { records: 100, runs: 3 });
  assert.ok(fast!.timesRival! > 2, `${fast!.timesRival}`);
  assert.ok(fast!.megabytesPerSecond! > 1);
  assert.equal(slow!.timesRival, 1);
  assert.deepEqual([slow!.megabytesPerSecond, alone!.timesRival], [null, null]);
});

Deno.test("deno task bench --warehouse asks every question at each size", async () => {
  await using directory = await tempDir();
  const { loads, results } = await benchWarehouse(testConfig(`${directory.path}/home`), {
    sizes: [200, 500],
    runs: 1,
    onProgress: () => {},
  });
  assert.deepEqual(loads.map(({ size }) => size), [200, 500]);
  const asked = (size: number) =>
    results.filter((result) => result.size === size).map(({ object }) => object);
  assert.deepEqual(asked(500), asked(200));
  for (const name of ["revenue_by", "event_funnel", "top_products", "freshness"]) {
    const result = results.find(({ object }) => object === `shop.${name}()`);
    assert.equal(result?.reads, "rollups", name);
    assert.match(result.plan, /rollup_base/, name);
  }
  assert.ok(results.every(({ ms, plan }) => ms > 0 && plan.length > 0));
});
