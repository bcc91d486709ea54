import type { TargetResult } from "./render_targets.ts";
import type { Stage } from "./stage.ts";
import type { Amount, TargetBench } from "./target.ts";

/** Measures benches one after the other. */
export async function measureTargets(
  benches: readonly TargetBench[],
  stage: Stage,
  amount: Amount,
): Promise<TargetResult[]> {
  const results: TargetResult[] = [];
  for (const { name, rows, measure } of benches) {
    const onProgress = (line: string) => amount.onProgress(`${name}: ${line}`);
    const figures = await measure(stage, { ...amount, onProgress });
    results.push(...rows.map((row, index) => ({ bench: name, row, figures: figures[index]! })));
  }
  return results;
}
