import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createCatalog } from "../../../domain/generator/create_catalog.ts";
import { type EventRow, EventStream } from "../../../domain/generator/event_stream.ts";
import { generateWindow } from "../../../domain/generator/generate_window.ts";
import { type RateHistory, trimRates } from "../../../domain/generator/rate_history.ts";
import { REES46 } from "../../../domain/generator/rees46.ts";
import { SHOP_EVENTS } from "../../../domain/shop_events.ts";
import { validateRecord } from "../../../domain/validate_record.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 2, 3, 10);
const SEED = 20_260_303;
const shop = { seed: SEED, profile: REES46, catalog: createCatalog(SEED, REES46) };
const steady: RateHistory = [{ from: START, eventsPerSecond: 5 }];
const changing: RateHistory = [
  { from: START, eventsPerSecond: 2 },
  { from: START + HOUR, eventsPerSecond: 11 },
  { from: START + HOUR + 1_234, eventsPerSecond: 0 },
  { from: START + 2 * HOUR, eventsPerSecond: 5 },
];

function generate(rates: RateHistory, from: number, to: number): EventRow[] {
  return generateWindow({ ...shop, rates, from, to });
}

function sha256(rows: EventRow[]): string {
  return createHash("sha256").update(JSON.stringify(rows)).digest("hex");
}

/** Ends of uneven windows that together cover four hours. */
function cuts(): number[] {
  const ends = [START];
  for (let width = 1; ends.at(-1)! < START + 4 * HOUR; width = width * 3 % 2_000_003) {
    ends.push(Math.min(ends.at(-1)! + width, START + 4 * HOUR));
  }
  return ends;
}

for (const [name, rates] of Object.entries({ steady, changing })) {
  Deno.test(`generateWindow() gives the same bytes whole, in pieces and in any order (${name} rate)`, () => {
    const whole = generate(rates, START, START + 4 * HOUR);
    assert.ok(whole.length > 20_000);
    const ends = cuts();
    const pieces = ends.slice(1).map((to, index) => ({ from: ends[index]!, to, index }));
    const rows: EventRow[][] = [];
    for (const { from, to, index } of pieces.toReversed()) {
      rows[index] = generate(trimRates(rates, from), from, to);
    }
    assert.equal(sha256(rows.flat()), sha256(whole));

    const stream = new EventStream(shop, rates, START);
    const read = pieces.map(({ to }) => stream.read(rates, to));
    assert.equal(sha256(read.flat()), sha256(whole));
  });
}

Deno.test("generateWindow() gives every event once, in order, within its window", () => {
  const rows = generate(steady, START, START + HOUR);
  const keys = rows.map(([eventId, time]) => `${time} ${eventId}`);
  assert.deepEqual(keys, keys.toSorted());
  assert.equal(new Set(rows.map(([eventId]) => eventId)).size, rows.length);
  assert.ok(
    rows.every(([, time]) => Date.parse(time!) >= START && Date.parse(time!) < START + HOUR),
  );
});

Deno.test("generateWindow() rewrites no session already begun when the rate changes", () => {
  const faster: RateHistory = [...steady, { from: START + HOUR, eventsPerSecond: 50 }];
  const slower: RateHistory = [...steady, { from: START + HOUR, eventsPerSecond: 0 }];
  const same = generate(steady, START + HOUR, START + 3 * HOUR);
  const more = new Set(generate(faster, START + HOUR, START + 3 * HOUR).map(String));
  assert.ok(more.size > 5 * same.length);
  assert.ok(same.every((row) => more.has(String(row))));

  const begun = new Set(
    generate(steady, START - 2 * HOUR, START + HOUR).map(([, , , , sessionId]) => sessionId),
  );
  const rest = same.filter(([, , , , sessionId]) => begun.has(sessionId));
  assert.ok(rest.length > 1000);
  assert.deepEqual(generate(slower, START + HOUR, START + 3 * HOUR), rest);
});

Deno.test("generateWindow() gives the bytes of earlier releases", () => {
  // A change of this hash is a change of every stream: make it on purpose, and say so in the commit.
  const pinned = "6ed603d3c78ef6a4cddb0decb4063a401a6bcaa69260826b9d953c54a6361232";
  assert.equal(sha256(generate(changing, START, START + HOUR / 6)), pinned);
});

Deno.test("generateWindow() gives other events for another seed", () => {
  const other = { ...shop, seed: SEED + 1, rates: steady, from: START, to: START + HOUR };
  const ids = new Set(generate(steady, START, START + HOUR).map(([eventId]) => eventId));
  assert.ok(generateWindow(other).every(([eventId]) => !ids.has(eventId!)));
});

Deno.test("generateWindow() writes rows that the contract takes", () => {
  const now = START + 4 * HOUR;
  for (const row of generate(steady, START, now)) {
    assert.equal(row.length, SHOP_EVENTS.columns.length);
    const outcome = validateRecord(SHOP_EVENTS, row, now);
    assert.ok(outcome.ok, `${row}: ${JSON.stringify(outcome)}`);
  }
});

Deno.test("generateWindow() gives about as many events as the rate says", () => {
  const week = 7 * 24 * HOUR;
  const rates: RateHistory = [{ from: START, eventsPerSecond: 0.15 }];
  const count = generate(rates, START, START + 4 * week).length;
  assert.ok(Math.abs(count / (4 * week / 1000 * 0.15) - 1) < 0.1, String(count));
});

Deno.test("EventStream.isAt() is false elsewhere and under another history", () => {
  const stream = new EventStream(shop, changing, START);
  stream.read(changing, START + 3 * HOUR);
  const position = START + 3 * HOUR;
  assert.ok(stream.isAt(position, trimRates(changing, position)));
  assert.ok(stream.isAt(position, [...changing, { from: position, eventsPerSecond: 9 }]));
  assert.ok(!stream.isAt(position + 1, changing));
  assert.ok(!stream.isAt(position, [...changing, { from: position - 1, eventsPerSecond: 9 }]));
});
