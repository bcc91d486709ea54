import assert from "node:assert/strict";
import { describeContract } from "../../domain/describe_contract.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { NAMES } from "./_shop_event.ts";

Deno.test({
  name: "describeContract() gives one well-formed row per column",
  permissions: "none",
  fn() {
    const lines = describeContract(SHOP_EVENTS).split("\n");
    assert.equal(lines.length, NAMES.length + 3);
    assert.equal(lines.pop(), "");
    for (const line of lines) assert.equal(line.split(" | ").length, 6, line);
    NAMES.forEach((name, index) => assert.ok(lines[index + 2]!.startsWith(`| \`${name}\` | `)));
  },
});
