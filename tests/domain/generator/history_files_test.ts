import assert from "node:assert/strict";
import { createCatalog } from "../../../domain/generator/create_catalog.ts";
import { generateWindow } from "../../../domain/generator/generate_window.ts";
import { historyFiles } from "../../../domain/generator/history_files.ts";
import { REES46 } from "../../../domain/generator/rees46.ts";

const DEMO = { endAt: Date.UTC(2026, 3, 1, 9, 30) + 123, weeks: 8, events: 200_000, files: 20 };

Deno.test("historyFiles() covers the period without gap", () => {
  const files = historyFiles(DEMO);
  assert.equal(files.length, 20);
  assert.equal(files.at(-1)!.to, Date.UTC(2026, 3, 1, 9, 30));
  assert.equal(files.at(-1)!.to - files[0]!.from, 56 * 86_400_000);
  files.slice(1).forEach(({ from }, index) => assert.equal(from, files[index]!.to));
  assert.equal(new Set(files.map(({ name }) => name)).size, 20);
});

for (const seed of [1, 2, 3]) {
  Deno.test(`historyFiles() gives about the events wished for, seed ${seed}`, () => {
    const shop = { seed, profile: REES46, catalog: createCatalog(seed, REES46) };
    let events = 0;
    for (const { from, to, rates } of historyFiles(DEMO)) {
      events += generateWindow({ ...shop, rates, from, to }).length;
    }
    assert.ok(Math.abs(events / 200_000 - 1) < 0.1, String(events));
  });
}
