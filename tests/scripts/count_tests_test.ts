import assert from "node:assert/strict";
import { addCounts, countTests, renderCounts } from "../../scripts/count_tests.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="1" time="0.1">
    <testsuite name="./a_test.ts" tests="5" disabled="1" errors="1" failures="1">
        <testcase name="good" classname="./a_test.ts" time="0.001" line="1" col="6">
        </testcase>
        <testcase name="bad" classname="./a_test.ts" time="0.002" line="2" col="6">
            <failure message="&lt;testcase &lt;skipped">Error: &lt;testcase name=x&gt;</failure>
        </testcase>
        <testcase name="left out" classname="./a_test.ts" time="0.000" line="3" col="6">
            <skipped/>
        </testcase>
        <testcase name="cut off" classname="./a_test.ts" time="0.000" line="4" col="6">
            <error message="Cancelled"/>
        </testcase>
        <testcase name="also good" classname="./a_test.ts" time="0.000" line="5" col="6">
        </testcase>
    </testsuite>
</testsuites>`;

Deno.test("countTests() counts what the report says, whatever messages contain", () => {
  assert.deepEqual(countTests(REPORT, false), { passed: 2, failed: 2, skipped: 1 });
});

Deno.test("countTests() counts a run without report, or failed outside of tests, as failed", () => {
  assert.deepEqual(countTests(undefined, false), { passed: 0, failed: 1, skipped: 0 });
  const good = `<testcase name="good"></testcase>`;
  assert.deepEqual(countTests(good, false), { passed: 1, failed: 1, skipped: 0 });
  assert.deepEqual(countTests(good, true), { passed: 1, failed: 0, skipped: 0 });
});

Deno.test("renderCounts() names skipped tests only where there are some", () => {
  const counts = addCounts([countTests(REPORT, false), { passed: 1, failed: 0, skipped: 0 }]);
  assert.equal(renderCounts(counts), "3 passed, 2 failed, 1 skipped");
  assert.equal(renderCounts({ passed: 3, failed: 0, skipped: 0 }), "3 passed, 0 failed");
});
