/**
 * Records the histories that `replay_test.ts` replays: run it when a change of the workflows was
 * made safe for those that run (or when none need to outlive it), and commit what it writes.
 *
 *     deno run --allow-all tests/replay/record.ts
 *
 * @module
 */
import { RECORDINGS } from "./_recordings.ts";
import { renderHistory } from "./_render_history.ts";

for (const [name, record] of Object.entries(RECORDINGS)) {
  const { history, folder } = await record();
  const path = `${import.meta.dirname}/${name}.json`;
  await Deno.writeTextFile(path, renderHistory(history, folder));
  console.error(`${name}: ${history.events?.length} events`);
}
// Servers that were started for this run would keep it from ending.
Deno.exit(0);
