/**
 * Events per second of the generator, of two CSV writers beside each other, and of bulk files flushed
 * to the disk; best of some runs: `deno run -A tests/bench/generate_events_bench.ts [events]`.
 */
import { equal } from "node:assert/strict";
import { stringify } from "csv-stringify/sync";
import { createCatalog } from "../../domain/generator/create_catalog.ts";
import { EventStream } from "../../domain/generator/event_stream.ts";
import { generateWindow } from "../../domain/generator/generate_window.ts";
import type { RateHistory } from "../../domain/generator/rate_history.ts";
import { REES46 } from "../../domain/generator/rees46.ts";
import { writeEvents } from "../../domain/generator/write_events.ts";
import { generateBulk } from "../../scripts/generate_bulk.ts";

const events = Number(Deno.args[0] ?? 1_000_000);
const RUNS = 3;
const FROM = Date.UTC(2026, 0, 5, 9);
const shop = { seed: 1, profile: REES46, catalog: createCatalog(1, REES46) };

/** Events and bytes that one run makes. */
interface Amount {
  events: number;
  bytes?: number;
}

async function report(name: string, run: () => Amount | Promise<Amount>): Promise<void> {
  let best = Infinity;
  let amount: Amount = { events: 0 };
  for (let round = 0; round < RUNS; round++) {
    const start = performance.now();
    amount = await run();
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  const rate = Math.round(amount.events / best).toLocaleString("en");
  const megabytes = amount.bytes === undefined
    ? ""
    : `, ${(amount.bytes / 1e6 / best).toFixed(1)} MB/s`;
  console.log(`${name.padEnd(44)} ${rate.padStart(10)} events/s${megabytes}`);
}

for (const eventsPerSecond of [4, 400]) {
  await report(`generate, ${eventsPerSecond} events a second`, () => {
    const rates: RateHistory = [{ from: FROM, eventsPerSecond }];
    const stream = new EventStream(shop, rates, FROM);
    let read = 0;
    for (let window = 1; read < events; window++) {
      read += stream.read(rates, FROM + window * Math.round(4_000_000 / eventsPerSecond)).length;
    }
    return { events: read };
  });
}

const rates: RateHistory = [{ from: FROM, eventsPerSecond: 4 }];
const rows = generateWindow({ ...shop, rates, from: FROM, to: FROM + 1_000_000 });
equal(writeEvents(rows), stringify(rows));
const batches = Math.ceil(events / rows.length);
for (const [name, write] of Object.entries({ "d3-dsv": writeEvents, "csv-stringify": stringify })) {
  await report(`write, ${name}`, () => {
    let bytes = 0;
    for (let batch = 0; batch < batches; batch++) {
      bytes += new TextEncoder().encode(write(rows)).length;
    }
    return { events: batches * rows.length, bytes };
  });
}

for (const gzip of [false, true]) {
  await report(`generate, write, fsync${gzip ? ", gzip (MB of text)" : ""}`, async () => {
    const directory = await Deno.makeTempDir();
    try {
      const { rows, bytes } = await generateBulk({ directory, rows: events, gzip });
      return { events: rows, bytes };
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}
