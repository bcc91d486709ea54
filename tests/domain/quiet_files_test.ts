import assert from "node:assert/strict";
import type { FileIdentity } from "../../domain/ingest_api.ts";
import { QuietFiles } from "../../domain/quiet_files.ts";

const A = "/in/a.csv";
const version = (sizeBytes: number, path = A): FileIdentity => ({
  path,
  ino: 1,
  sizeBytes,
  mtimeMs: 5,
  ctimeMs: 5,
});

/** A step is `[time, size]` for a look, `[time]` for an event; `quiet` is the time of the look that found it ready. */
const CASES: { name: string; steps: ([number] | [number, number])[]; quiet: number | null }[] = [
  { name: "needs two looks", steps: [[5_000, 1]], quiet: null },
  { name: "is ready after the settle time", steps: [[0, 1], [100, 1]], quiet: 100 },
  { name: "is not ready a moment before", steps: [[0, 1], [99, 1]], quiet: null },
  { name: "begins anew when the size changes", steps: [[0, 1], [90, 2], [100, 2]], quiet: null },
  {
    name: "counts from the look that saw the change",
    steps: [[0, 1], [90, 2], [190, 2]],
    quiet: 190,
  },
  {
    name: "begins anew at an event, though nothing changed",
    steps: [[0, 1], [50], [100, 1]],
    quiet: null,
  },
  { name: "counts from the last event", steps: [[0, 1], [50], [150, 1]], quiet: 150 },
  {
    name: "an event alone does not tell what to compare with",
    steps: [[0], [100, 1], [199, 1]],
    quiet: null,
  },
  {
    name: "an appender that closes after each line is waited for",
    steps: [[0], [20, 1], [60], [80, 2], [120], [140, 3], [239, 3], [240, 3]],
    quiet: 240,
  },
];

for (const { name, steps, quiet } of CASES) {
  Deno.test({
    name: `QuietFiles.see() ${name}`,
    permissions: "none",
    fn() {
      const files = new QuietFiles(100);
      let found: number | null = null;
      for (const [time, size] of steps) {
        if (size === undefined) files.touch(A, time);
        else if (files.see(version(size), time) === "quiet") found = time;
      }
      assert.equal(found, quiet);
      assert.equal(files.has(A), quiet === null);
    },
  });
}

Deno.test({
  name: "QuietFiles.due() gives the longest unchanged first, and only those",
  permissions: "none",
  fn() {
    const files = new QuietFiles(100);
    for (const [i, path] of ["/in/a", "/in/b", "/in/c"].entries()) {
      files.see(version(1, path), i * 10);
    }
    files.touch("/in/a", 50);
    assert.equal(files.nextDue(), 110);
    assert.deepEqual(files.due(115), ["/in/b"]);
    assert.deepEqual(files.due(150), ["/in/b", "/in/c", "/in/a"]);
    files.forget("/in/b");
    files.forget("/in/c");
    assert.equal(files.nextDue(), 150);
    assert.equal(files.size, 1);
  },
});
