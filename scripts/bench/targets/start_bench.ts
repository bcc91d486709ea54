import { median } from "../alternate.ts";
import { startSubject } from "../subject.ts";
import type { TargetBench } from "../target.ts";

const RUNS = 3;

/** How long a person waits for everything to be up, with nothing to fetch or build. */
export const START: TargetBench = {
  name: "start",
  rows: [{
    what: "deno task dev ready, new home, warm caches",
    rival: null,
    unit: "s",
    target: { atMost: 8, aim: 4 },
  }],
  async measure(stage, { runs = RUNS, onProgress }) {
    const seconds: number[] = [];
    for (let run = 0; run <= runs; run++) {
      await using subject = await startSubject({ home: stage.path("start") });
      // The first one warms the caches.
      if (run === 0) continue;
      onProgress(`start ${run}: ${subject.readySeconds.toFixed(1)} s`);
      seconds.push(subject.readySeconds);
    }
    return [{ ours: median(seconds), ofRuns: seconds }];
  },
};
