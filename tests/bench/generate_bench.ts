import { equal } from "node:assert/strict";
import { createCatalog } from "../../domain/generator/create_catalog.ts";
import { EventStream } from "../../domain/generator/event_stream.ts";
import { evenShares } from "../../domain/generator/fault_shares.ts";
import type { RateHistory } from "../../domain/generator/rate_history.ts";
import { REES46 } from "../../domain/generator/rees46.ts";
import { type BulkOptions, generateBulk } from "../../scripts/generate_bulk.ts";
import type { Bench, BenchAmount } from "./bench.ts";

const FROM = Date.UTC(2026, 0, 5, 9);

/** The generator at the full model: in memory, to files, and taking up a live stream. */
export const GENERATE: Bench = {
  name: "generate",
  about: "events of the full model on one core: in memory, and in files flushed to the disk",
  prepare: (records) => {
    const shop = { seed: 1, profile: REES46, catalog: createCatalog(1, REES46) };
    const stream = (eventsPerSecond: number) => () => {
      const rates: RateHistory = [{ from: FROM, eventsPerSecond }];
      const stream = new EventStream(shop, rates, FROM);
      let read = 0;
      for (let window = 1; read < records; window++) {
        read += stream.read(rates, FROM + window * Math.round(4_000_000 / eventsPerSecond)).length;
      }
      return { records: read };
    };
    const takeUp = () => {
      const rates: RateHistory = [{ from: FROM, eventsPerSecond: 2_000 }];
      return { records: new EventStream(shop, rates, FROM).read(rates, FROM + 1_000).length };
    };
    return [
      { input: "stream", what: "28 days, no files", run: stream(records / (28 * 86_400)) },
      { input: "stream", what: "400 events a second, no files", run: stream(400) },
      { input: "stream", what: "first second of 2,000 a second, after a restart", run: takeUp },
      { input: "bulk", what: "28 days, CSV files", run: () => bulk({ rows: records }) },
      {
        input: "bulk",
        what: "the same, gzip (MB of text)",
        run: () => bulk({ rows: records, gzip: true }),
      },
      {
        input: "bulk",
        what: "the same, 1 % at fault",
        run: () => bulk({ rows: records, faults: evenShares(0.01) }),
      },
    ];
  },
};

async function bulk(options: Omit<BulkOptions, "directory">): Promise<BenchAmount> {
  const parent = await Deno.makeTempDir({ prefix: "clickledger-bench-" });
  try {
    const { rows, bytes } = await generateBulk({ ...options, directory: `${parent}/out` });
    equal(rows, options.rows);
    return { records: rows, bytes };
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}
