import assert from "node:assert/strict";
import { openStage } from "../../scripts/bench/stage.ts";
import { judge } from "../../scripts/bench/target.ts";
import { TARGET_BENCHES } from "../../scripts/bench/target_benches.ts";
import { measureTargets } from "../../scripts/bench/measure_targets.ts";
import { tempDir, testServices } from "../harness.ts";

/** Large files of a chunk or two, small files by the dozen. */
const RECORDS = 500;

for (const bench of TARGET_BENCHES) {
  Deno.test(`deno task bench --only ${bench.name} runs, with right results`, async () => {
    await using directory = await tempDir();
    await using stage = await openStage(await testServices(), directory.path);
    const results = await measureTargets([bench], stage, {
      records: RECORDS,
      runs: 1,
      onProgress: () => {},
    });
    assert.equal(results.length, bench.rows.length);
    for (const { row, figures } of results) {
      if ("skipped" in figures) continue;
      assert.ok(figures.ours > 0, row.what);
      assert.equal(figures.ratio === undefined, row.rival === null, row.what);
    }
  });
}

Deno.test("judge() judges the ratio where there is one, else the figure", () => {
  const atLeast = { atLeast: 1.2, aim: 2 };
  assert.equal(judge({ ours: 9, rival: 9, ratio: 1.1 }, atLeast), "below");
  assert.equal(judge({ ours: 1, rival: 1, ratio: 1.2 }, atLeast), "ok");
  assert.equal(judge({ ours: 1, rival: 1, ratio: 2 }, atLeast), "aim reached");
  const atMost = { atMost: 30, aim: 15 };
  assert.equal(judge({ ours: 31 }, atMost), "below");
  assert.equal(judge({ ours: 30 }, atMost), "ok");
  assert.equal(judge({ ours: 15 }, atMost), "aim reached");
  assert.equal(judge({ ours: 15 }, {}), "");
  assert.equal(judge({ skipped: "not installed" }, atMost), "");
});
