import assert from "node:assert/strict";
import { runBench } from "../../scripts/bench/run_bench.ts";
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
