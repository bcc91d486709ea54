import assert from "node:assert/strict";
import { createLogger } from "../../../scripts/log.ts";
import { foldRollups } from "../../../scripts/services/fold_rollups.ts";
import { warehouse } from "../../activities/_warehouse.ts";
import { waitFor } from "../../harness.ts";

Deno.test("foldRollups() folds what waits, and makes known to the index what was copied", async () => {
  await using house = await warehouse();
  const { admin, deps } = house;
  const rows = (day: string) =>
    `select '${day}'::timestamptz + i * interval '1 minute', 'purchase', '', 'mobile', 'EUR', 1, 1, 1
     from generate_series(1, 20000) i`;
  await admin.unsafe(`insert into shop.minute_rollup_delta ${rows("2026-01-05")}`);
  await admin.unsafe(`insert into shop.minute_rollup_bulk ${rows("2026-01-05")}`);
  // All but the first range, which was known when there was nothing.
  assert.ok(await pagesRead(house) > 100);
  const folder = foldRollups(deps.sql, createLogger("error"));
  try {
    await waitFor(async () => await pagesRead(house) < 32, { what: "the index to know the pages" });
    await waitFor(async () => {
      const [base] = await admin`select count(*)::int as rows from shop.minute_rollup_base`;
      return base?.rows === 20_000;
    }, { what: "the deltas to be folded" });
  } finally {
    await folder.stop();
  }
});

/** Pages of what was copied that a question of another time reads. */
async function pagesRead({ admin }: Awaited<ReturnType<typeof warehouse>>): Promise<number> {
  return await admin.begin(async (tx) => {
    await tx`set local enable_seqscan = off`;
    const [row] = await tx<{ "QUERY PLAN": { Plan: { "Lossy Heap Blocks": number } }[] }[]>`
      explain (analyze, format json) select from shop.minute_rollup_bulk where minute < '2020-01-01'`;
    return row!["QUERY PLAN"][0]!.Plan["Lossy Heap Blocks"];
  });
}
