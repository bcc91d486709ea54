import { equal } from "node:assert/strict";
import { readConsistent } from "../contents.ts";
import { loadFiles } from "../load_files.ts";
import { peakMemory } from "../peak_memory.ts";
import type { Stage } from "../stage.ts";
import type { TargetBench } from "../target.ts";

/** Of a file of a million rows, 177 MB, so many make 100 MB. */
const SHARE_OF_LARGE = 0.565;
/** And so many of those 2 GB. */
const COPIES = 20;
const BYTES_PER_MB = 1e6;

/** Whether a worker's memory follows the size of the file: it may not. */
export const MEMORY: TargetBench = {
  name: "memory",
  rows: [
    {
      what: "peak memory of the worker's process, file of 100 MB",
      rival: null,
      unit: "MB",
      target: { atMost: 400, aim: 300 },
    },
    {
      what: "peak memory of the worker's process, file of 2 GB",
      rival: null,
      unit: "MB",
      target: { atMost: 400, aim: 300 },
    },
    {
      what: "peak memory of the worker's process, file of 2 GB",
      rival: "file of 100 MB",
      unit: "MB",
      target: { atMost: 1.2 },
    },
  ],
  async measure(stage, { records, onProgress }) {
    if (await peakMemory(Deno.pid) === undefined) {
      return this.rows.map(() => ({ skipped: "this system does not tell" }));
    }
    const rows = Math.ceil(records * SHARE_OF_LARGE);
    const [small] = await stage.inputs.events({ rows });
    const large = await stage.inputs.repeated(small!, COPIES);
    const ofSmall = await peakOf(stage, small!, rows);
    onProgress(`the small file took ${Math.round(ofSmall)} MB at most`);
    const ofLarge = await peakOf(stage, large, rows * COPIES);
    return [
      { ours: ofSmall },
      { ours: ofLarge },
      { ours: ofLarge, rival: ofSmall, ratio: ofLarge / ofSmall },
    ];
  },
};

async function peakOf(stage: Stage, path: string, rows: number): Promise<number> {
  await using database = await stage.database();
  await using subject = await stage.subject(database, { apart: true });
  await loadFiles(database, subject, [path]);
  equal((await readConsistent(database)).events, rows);
  return (await peakMemory(subject.pid) ?? NaN) / BYTES_PER_MB;
}
