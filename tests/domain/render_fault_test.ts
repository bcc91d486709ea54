import assert from "node:assert/strict";
import { FILE_FAULT_CODES, RECORD_FAULT_CODES } from "../../domain/faults.ts";
import { renderFault, renderFileFault } from "../../domain/render_fault.ts";

Deno.test({
  name: "renderFault() says line, column and what was expected",
  permissions: "none",
  fn() {
    assert.equal(
      renderFault({ code: "wrong_column_count", expected: "15 fields but got 14" }, 7),
      "Line 7: expected 15 fields but got 14",
    );
    assert.equal(
      renderFault({ code: "too_long", column: "brand", expected: "at most 100 characters" }),
      "Column brand: expected at most 100 characters",
    );
    assert.equal(
      renderFault({ code: "broken_quote" }),
      "A quoted field is opened and not closed",
    );
  },
});

Deno.test({
  name: "renderFault() and renderFileFault() have words for every code",
  permissions: "none",
  fn() {
    for (const code of RECORD_FAULT_CODES) assert.match(renderFault({ code }, 1), /^Line 1: \w/);
    for (const code of FILE_FAULT_CODES) {
      assert.match(renderFileFault({ code }), /^Cannot load file: \w.*\. .*\.$/);
    }
  },
});

Deno.test({
  name: "renderFileFault() names what is missing and what was found",
  permissions: "none",
  fn() {
    const columns = ["event_id", "price"];
    assert.equal(
      renderFileFault({ code: "header_not_recognised", columns, seen: ["a", "b"] }),
      "Cannot load file: its first line is not the header of this feed (missing: event_id, price). " +
        "Found: a, b. Check that it is a file of this feed. Correct the header, or add an alias to " +
        "domain/shop_events.ts.",
    );
  },
});

Deno.test({
  name: "renderFileFault() guesses which column was meant by a misspelt one",
  permissions: "none",
  fn() {
    const columns = ["event_time", "price"];
    const seen = ["event_id", "Event_tim", "cost"];
    const misspelt = [{ column: "event_time", by: "Event_tim" }];
    assert.equal(
      renderFileFault({ code: "missing_column", columns, seen, misspelt }),
      "Cannot load file: its header lacks required columns (event_time, price). " +
        "Found: event_id, Event_tim, cost. Did you mean event_time by Event_tim? " +
        "Correct the header, or add an alias to domain/shop_events.ts.",
    );
  },
});
