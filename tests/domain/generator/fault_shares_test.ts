import assert from "node:assert/strict";
import { PLANTED_FAULTS } from "../../../domain/generator/fault_kinds.ts";
import { describeFaults, readFaultShares } from "../../../domain/generator/fault_shares.ts";

Deno.test("readFaultShares() divides one number among all kinds", () => {
  const shares = readFaultShares("0.09");
  assert.deepEqual(Object.keys(shares), Object.keys(PLANTED_FAULTS));
  assert.equal(shares.bad_value, 0.01);
  assert.equal(shares.renamed_copy, 0.03);
});

for (
  const [text, message] of [
    ["", /Cannot plant : known are duplicate_event/],
    ["b", /Cannot plant b: it may mean bad_value, broken_quote$/],
    ["late=2", /Cannot plant a share of 2: expected a number from 0 to 1/],
    ["late=0.1=2", /expected KIND=SHARE/],
    ["late=0.6,nul=0.6", /Cannot plant faults in 1.2 of all/],
    ["7", /Cannot plant a share of 7/],
  ] as const
) {
  Deno.test(`readFaultShares() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => readFaultShares(text), message);
  });
}

Deno.test("describeFaults() names kinds and shares", () => {
  assert.equal(
    describeFaults(readFaultShares("late=0.5,renamed")),
    "late_event 0.5, renamed_copy 0.1",
  );
  assert.equal(describeFaults({}), "none");
  assert.equal(
    describeFaults(readFaultShares("0.05")),
    "every kind, 0.05 of the events and 0.05 of the files",
  );
});
