import assert from "node:assert/strict";
import { createLandTick } from "../../activities/land_tick.ts";
import { wasIngested } from "../../activities/statements/was_ingested.ts";
import type { Tick } from "../../domain/generator_state.ts";
import { warehouse } from "./_warehouse.ts";

Deno.test("landTick() lands nothing that was archived before an attempt could say so", async () => {
  await using w = await warehouse({ chunkBytes: 1_000_000 });
  const from = Date.UTC(2026, 0, 5, 12);
  const tick: Tick = {
    ...{ directory: w.inbox, truthDirectory: `${w.inbox}-truth`, seed: 1, profile: "rees46" },
    ...{ rates: [{ from: 0, eventsPerSecond: 20 }], faults: { nul_byte: 0.1 }, since: from },
    ...{ from, to: from + 2_000, sequence: 1 },
  };
  const options = {
    attempt: () => 2,
    wasIngested: (path: string, sha256: string) => wasIngested(w.deps.sql, path, sha256),
  };
  // A retry lands what the attempt before did not.
  const first = await createLandTick(options)(tick);
  const job = await w.job(`${w.inbox}/${first.fileName}`);
  await w.run("ingestSmallFile", job, job.input);
  assert.deepEqual(await namesIn(w.inbox), []);

  assert.deepEqual(await createLandTick(options)(tick), first);
  assert.deepEqual(await namesIn(w.inbox), []);
  assert.deepEqual(await namesIn(tick.truthDirectory), [`${first.fileName}.jsonl`]);
  // Other bytes under that name are another file.
  const other = await createLandTick(options)({ ...tick, seed: 2 });
  assert.deepEqual(await namesIn(w.inbox), [other.fileName]);
});

async function namesIn(directory: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  return entries.filter(({ isFile }) => isFile).map(({ name }) => name);
}
