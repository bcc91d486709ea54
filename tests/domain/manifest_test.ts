import assert from "node:assert/strict";
import { manifestOf, readManifest } from "../../domain/manifest.ts";

Deno.test("manifestOf() knows manifests by their names", () => {
  const names = [
    "a.csv.manifest.json",
    ".a.csv.manifest.json",
    ".manifest.json",
    "a.json",
    "a.csv",
  ];
  assert.deepEqual(names.map(manifestOf), ["a.csv", undefined, undefined, undefined, undefined]);
});

Deno.test("readManifest() takes what is said, and refuses the rest without its values", () => {
  const sha256 = "A".repeat(64);
  assert.deepEqual(readManifest(JSON.stringify({ rows: 3, amount: 10.5, sha256 })), {
    manifest: { rows: 3, amount: "10.50", sha256: "a".repeat(64) },
  });
  for (
    const text of [
      "",
      "[]",
      "{}",
      '{"rows":-1}',
      '{"rows":1.5}',
      '{"rows":"3"}',
      '{"sha256":"x"}',
      '{"row":1}',
    ]
  ) {
    const read = readManifest(text);
    assert.ok("error" in read, text);
    assert.doesNotMatch(read.error, /-1|1\.5|"3"/);
  }
});
