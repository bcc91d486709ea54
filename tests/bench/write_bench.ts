import { equal } from "node:assert/strict";
import { stringify } from "csv-stringify/sync";
import { createCatalog } from "../../domain/generator/create_catalog.ts";
import { generateWindow } from "../../domain/generator/generate_window.ts";
import { REES46 } from "../../domain/generator/rees46.ts";
import { writeEvents } from "../../domain/generator/write_events.ts";
import type { Bench } from "./bench.ts";

const FROM = Date.UTC(2026, 0, 5, 9);

/** The generator's CSV writer beside csv-stringify. */
export const WRITE: Bench = {
  name: "write",
  about: "events to CSV bytes: d3-dsv, which the generator uses, beside csv-stringify",
  prepare: (records) => {
    const rows = generateWindow({
      ...{ seed: 1, profile: REES46, catalog: createCatalog(1, REES46) },
      ...{ rates: [{ from: FROM, eventsPerSecond: 4 }], from: FROM, to: FROM + 1_000_000 },
    });
    equal(writeEvents(rows), stringify(rows));
    const batches = Math.ceil(records / rows.length);
    const run = (write: (rows: string[][]) => string) => () => {
      let bytes = 0;
      for (let batch = 0; batch < batches; batch++) {
        bytes += new TextEncoder().encode(write(rows)).length;
      }
      return { records: batches * rows.length, bytes };
    };
    return [
      { input: "events", what: "writeEvents (d3-dsv)", run: run(writeEvents) },
      { input: "events", what: "csv-stringify", isRival: true, run: run(stringify) },
    ];
  },
};
