import assert from "node:assert/strict";
import { EventIndex } from "../../../scripts/ingest/event_index.ts";

const EVENTS = 5_000;

Deno.test("EventIndex finds what was added, and nothing else", () => {
  const ids = someIds(2 * EVENTS);
  const index = new EventIndex();
  ids.slice(0, EVENTS).forEach((id, line) => index.add(id, seen(line)));
  ids.forEach((id, line) => {
    assert.deepEqual(index.find(id), line < EVENTS ? seen(line) : undefined);
  });
});

Deno.test("EventIndex forgets what was added last, and takes it again", () => {
  const ids = someIds(EVENTS);
  const index = new EventIndex();
  ids.forEach((id, line) => index.add(id, seen(line)));
  index.truncate(EVENTS / 2);
  assert.equal(index.size, EVENTS / 2);
  ids.forEach((id, line) => {
    assert.deepEqual(index.find(id), line < EVENTS / 2 ? seen(line) : undefined);
  });
  ids.slice(EVENTS / 2).forEach((id, line) => index.add(id, seen(line + 1)));
  assert.deepEqual(index.find(ids[EVENTS / 2]!), seen(1));
});

function seen(line: number) {
  return { contentHash: String(BigInt(line) - 2n ** 62n), file: line % 7, line };
}

/** Half of them differ in their last digits alone. */
function someIds(count: number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const last = n.toString(16).padStart(12, "0");
    return n % 2 === 0 ? `00000000-0000-7000-8000-${last}` : `${hex(n, 8)}-0000-7000-8000-${last}`;
  });
}

function hex(n: number, digits: number): string {
  return (Math.imul(n, 0x9e3779b1) >>> 0).toString(16).padStart(digits, "0");
}
