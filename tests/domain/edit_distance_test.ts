import assert from "node:assert/strict";
import { editDistance } from "../../domain/edit_distance.ts";

const CASES: [a: string, b: string, distance: number][] = [
  ["", "", 0],
  ["", "price", 5],
  ["price", "price", 0],
  ["pirce", "price", 2],
  ["prices", "price", 1],
  ["kitten", "sitting", 3],
];

Deno.test({
  name: "editDistance() counts insertions, deletions and replacements, either way round",
  permissions: "none",
  fn() {
    for (const [a, b, distance] of CASES) {
      assert.equal(editDistance(a, b), distance);
      assert.equal(editDistance(b, a), distance);
    }
  },
});
