import assert from "node:assert/strict";
import { checkProfile } from "../../scripts/check_profile.ts";

for (const seed of [1, 2, 3]) {
  Deno.test(`checkProfile() finds every figure inside over a million events of seed ${seed}`, () => {
    const figures = checkProfile({ seed, events: 1_000_000 });
    assert.ok(figures.length > 30, `only ${figures.length} figures were compared`);
    const outside = figures.filter(({ inside }) => !inside);
    assert.deepEqual(outside, []);
  });
}
