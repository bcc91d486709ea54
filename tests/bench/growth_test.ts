import assert from "node:assert/strict";
import { measurePoint } from "../../scripts/bench/growth/measure_growth.ts";
import { planGrowth } from "../../scripts/bench/growth/plan_growth.ts";
import { writeGrowth } from "../../scripts/bench/growth/write_growth.ts";
import { openStage } from "../../scripts/bench/stage.ts";
import { tempDir, testServices } from "../harness.ts";

const POINTS = [
  { series: "rows", x: 10_000, records: 10_000, seconds: 0.5 },
  { series: "rows", x: 100_000, records: 100_000, seconds: 4 },
  { series: "files", x: 10, records: 1_000, seconds: 0.2 },
  { series: "rejects", x: 0.01, records: 5_000, seconds: 1 },
  { series: "duplicates", x: 1, records: 5_000, seconds: 2 },
] as const;

Deno.test("measurePoint() finds every reject and duplicate that was planned", async () => {
  await using directory = await tempDir();
  await using stage = await openStage(await testServices(), directory.path);
  const runs = await Array.fromAsync(planGrowth(stage, 1_000));
  assert.deepEqual(runs.map(({ series, x }) => `${series} ${x}`), [
    ...["rows 10", "rows 100", "rows 1000", "rows 10000"],
    ...["files 1", "files 1", "files 1", "files 10"],
    ...["rejects 0", "rejects 0.01", "rejects 0.1", "rejects 0.5", "rejects 1"],
    ...["duplicates 0", "duplicates 0.01", "duplicates 0.1", "duplicates 0.5", "duplicates 1"],
  ]);
  // A start of the pipeline each: these two have all kinds of work.
  const chosen = runs.filter(({ series, x }) =>
    (series === "rejects" && x === 0.1) || (series === "duplicates" && x === 1)
  );
  assert.deepEqual(chosen.map(({ expected }) => expected), [
    { records: 200, duplicates: 0, rejected: 20 },
    { records: 200, duplicates: 200, rejected: 0 },
  ]);
  // Throws when the ledger says otherwise.
  await Promise.all(chosen.map((run) => measurePoint(stage, run)));
});

Deno.test("writeGrowth() replaces its own section of the page, which stays formatted", async () => {
  await using docs = await tempDir();
  const page = `${docs.path}/performance.md`;
  await Deno.writeTextFile(page, "# Performance\n\nBefore.\n");
  await writeGrowth(docs.path, POINTS.slice(0, 1), { machine: "one", command: "true" });
  await Deno.writeTextFile(page, `${await Deno.readTextFile(page)}\nAfter.\n`);
  await writeGrowth(docs.path, POINTS, {
    machine: "another one with a name that makes the line longer than any line of the page may be",
    command: "false",
  });

  const text = await Deno.readTextFile(page);
  assert.match(text, /^# Performance\n\nBefore\.\n\n<!-- growth/);
  assert.match(text, /<!-- growth: end -->\n\nAfter\.\n$/);
  assert.equal(text.match(/growth\.svg/g)?.length, 1);
  assert.match(text, /^\| duplicates +\| +100 % +\| +5,000 \|/m);
  assert.ok(text.includes("`false`") && !text.includes("`true`"));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--check", "--line-width=100", page],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));

  const svg = await Deno.readTextFile(`${docs.path}/images/growth.svg`);
  assert.match(svg, /^<svg /);
  for (const label of ["10,000", "100 %", "one file of so many rows"]) {
    assert.ok(svg.includes(label));
  }
});
