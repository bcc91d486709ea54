import assert from "node:assert/strict";
import { FAULT_CODES, FILE_FAULT_CODES, RECORD_FAULT_CODES } from "../../domain/faults.ts";

Deno.test({
  name: "FAULT_CODES belong to a record or to a file",
  permissions: "none",
  fn() {
    assert.equal(
      RECORD_FAULT_CODES.length + FILE_FAULT_CODES.length,
      Object.keys(FAULT_CODES).length,
    );
    assert.ok(RECORD_FAULT_CODES.includes("broken_quote"));
    assert.ok(FILE_FAULT_CODES.includes("header_not_recognised"));
  },
});

Deno.test({
  name: "FAULT_CODES say what happened and what to do",
  permissions: "none",
  fn() {
    for (const [code, { message, advice }] of Object.entries(FAULT_CODES)) {
      assert.match(code, /^[a-z0-9_]+$/);
      assert.match(message, /^[a-z].*[^.]$/, code);
      assert.match(advice, /^[A-Z].*\.$/, code);
    }
  },
});

Deno.test({
  name: "FAULT_CODES leave sound records out of the error budget",
  permissions: "none",
  fn() {
    const sound = RECORD_FAULT_CODES.filter((code) => !FAULT_CODES[code].countsForErrorBudget);
    assert.deepEqual(sound, ["before_horizon", "conflicting_event"]);
  },
});
