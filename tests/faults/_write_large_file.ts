import { createCatalog } from "../../domain/generator/create_catalog.ts";
import { EventStream } from "../../domain/generator/event_stream.ts";
import { REES46 } from "../../domain/generator/rees46.ts";
import { EVENT_HEADER, writeEvents } from "../../domain/generator/write_events.ts";

const SEED = 51;
const START = Date.UTC(2026, 0, 5, 12);
const RATES = [{ from: 0, eventsPerSecond: 2_000 }] as const;
const WINDOW_MS = 10_000;

/** Writes a file of exactly so many valid events, a part at a time, however large it is. */
export async function writeLargeFile(path: string, rows: number): Promise<void> {
  const shop = { seed: SEED, profile: REES46, catalog: createCatalog(SEED, REES46) };
  const stream = new EventStream(shop, RATES, START);
  await using file = await createFile(path);
  await file.write(EVENT_HEADER);
  let left = rows;
  for (let to = START + WINDOW_MS; left > 0; to += WINDOW_MS) {
    const events = stream.read(RATES, to).slice(0, left);
    await file.write(writeEvents(events));
    left -= events.length;
  }
}

async function createFile(path: string) {
  const file = await Deno.create(path);
  const writer = file.writable.getWriter();
  const encoder = new TextEncoder();
  return {
    write: (text: string) => writer.write(encoder.encode(text)),
    [Symbol.asyncDispose]: () => writer.close(),
  };
}
