/** Outcome of a test run. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Counts the tests, with their steps, of one run of `deno test`.
 *
 * @param report the JUnit XML it wrote; undefined when it ended before that
 * @param success whether it exited with 0: an error outside of any test is in no report
 */
export function countTests(report: string | undefined, success: boolean): TestCounts {
  // Names and messages are escaped in the report, so that a tag is never part of one.
  const cases = (report ?? "").split("<testcase ").slice(1);
  const isFailed = (text: string) => text.includes("<failure") || text.includes("<error");
  const failed = cases.filter(isFailed).length;
  const skipped = cases.filter((text) => text.includes("<skipped")).length;
  return {
    passed: cases.length - failed - skipped,
    failed: success ? failed : Math.max(1, failed),
    skipped,
  };
}

/** The closing line, such as `12 passed, 0 failed, 1 skipped`. */
export function renderCounts({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** Sum of several runs. */
export function addCounts(runs: readonly TestCounts[]): TestCounts {
  return runs.reduce((sum, run) => ({
    passed: sum.passed + run.passed,
    failed: sum.failed + run.failed,
    skipped: sum.skipped + run.skipped,
  }), { passed: 0, failed: 0, skipped: 0 });
}
