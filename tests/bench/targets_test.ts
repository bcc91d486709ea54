import assert from "node:assert/strict";
import { join } from "node:path";
import { openInputs } from "../../scripts/bench/inputs.ts";
import { measureTargets } from "../../scripts/bench/measure_targets.ts";
import { renderResult, RESULT_COLUMNS } from "../../scripts/bench/render_targets.ts";
import { openStage } from "../../scripts/bench/stage.ts";
import { judge, renderHeld, type TargetBench } from "../../scripts/bench/target.ts";
import { TARGET_BENCHES } from "../../scripts/bench/target_benches.ts";
import { tempDir, testServices } from "../harness.ts";

/** Large files of a chunk or two, small files by the dozen. */
const RECORDS = 500;
const AT_ONCE = 3;

Deno.test("deno task bench runs every target, with right results", async (test) => {
  await using directory = await tempDir();
  await using stage = await openStage(await testServices(), directory.path);
  const amount = { records: RECORDS, runs: 1, onProgress: () => {} };
  const measure = async (bench: TargetBench) => {
    // Files of its own: a name of a file that comes and goes elsewhere changes the file.
    const inputs = openInputs(join(directory.path, bench.name));
    const results = await measureTargets([bench], { ...stage, inputs }, amount);
    assert.equal(results.length, bench.rows.length);
    for (const result of results) {
      const { row, figures } = result;
      assert.equal(renderResult(result).length, RESULT_COLUMNS.length);
      if ("skipped" in figures) continue;
      assert.ok(figures.ours > 0, row.what);
      assert.equal(figures.ratio === undefined, row.rival === null, row.what);
    }
  };
  // Nothing is compared here, so some may run beside each other.
  const options = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
  const waiting = [...TARGET_BENCHES];
  const runSome = async () => {
    for (let bench = waiting.shift(); bench !== undefined; bench = waiting.shift()) {
      const fn = measure.bind(null, bench);
      await test.step({ name: bench.name, fn, ...options });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runSome));
});

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

Deno.test("renderHeld() counts the runs that reached what is asked", () => {
  assert.equal(
    renderHeld({ ours: 9, rival: 9, ratio: 1.3, ofRuns: [1.1, 1.2, 1.4] }, { atLeast: 1.2 }),
    "2 of 3",
  );
  assert.equal(renderHeld({ ours: 4, ofRuns: [4, 9] }, { atMost: 8 }), "1 of 2");
  assert.equal(renderHeld({ ours: 31 }, { atMost: 30 }), "0 of 1");
  assert.equal(renderHeld({ ours: 31 }, {}), null);
  assert.equal(renderHeld({ skipped: "not installed" }, { atMost: 30 }), null);
});
