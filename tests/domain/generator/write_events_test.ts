import assert from "node:assert/strict";
import { stringify } from "csv-stringify/sync";
import fc from "fast-check";
import { createCatalog } from "../../../domain/generator/create_catalog.ts";
import { generateWindow } from "../../../domain/generator/generate_window.ts";
import { REES46 } from "../../../domain/generator/rees46.ts";
import { EVENT_HEADER, writeEvents } from "../../../domain/generator/write_events.ts";
import { SHOP_EVENTS } from "../../../domain/shop_events.ts";

Deno.test("EVENT_HEADER names the contract's columns", () => {
  assert.equal(EVENT_HEADER, stringify([SHOP_EVENTS.columns.map(({ name }) => name)]));
});

Deno.test("writeEvents() agrees with csv-stringify on generated events", () => {
  const [seed, from] = [1, Date.UTC(2026, 0, 5, 12)];
  const rows = generateWindow({
    ...{ seed, profile: REES46, catalog: createCatalog(seed, REES46) },
    ...{ rates: [{ from, eventsPerSecond: 5 }], from, to: from + 600_000 },
  });
  assert.ok(rows.some(([, , , , , , name]) => name!.includes('"')));
  assert.equal(writeEvents(rows), stringify(rows));
});

Deno.test("writeEvents() agrees with csv-stringify on any cells", () => {
  const cell = fc.string({ unit: fc.constantFrom("a", ",", '"', "\r", "\n", " ", ";", "é", "😀") });
  const rows = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 5 });
  fc.assert(fc.property(rows, (cells) => {
    assert.equal(
      writeEvents(cells),
      stringify(cells, { quoted_match: /[\r\n]/ }),
    );
  }));
});
