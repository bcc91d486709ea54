import { createCatalog } from "../domain/generator/create_catalog.ts";
import { EventStream, type Shop } from "../domain/generator/event_stream.ts";
import { formatFileName } from "../domain/generator/file_name.ts";
import { PROFILES } from "../domain/generator/profiles.ts";
import { EVENT_HEADER, writeEvents } from "../domain/generator/write_events.ts";
import { InvalidChange, type Tick, type TickResult } from "../domain/generator_state.ts";
import { landFile } from "./land_file.ts";

/**
 * Lands the file of one tick. It reads no clock: the tick decides name and bytes, so an attempt after a crash either
 * finds the file landed or lands the same one.
 *
 * @returns Makes the activity; what it keeps between ticks only saves work.
 */
export function createLandTick(): (tick: Tick) => Promise<TickResult> {
  const shops = new Map<string, Shop>();
  const streams = new Map<string, EventStream>();

  return async ({ directory, seed, profile, rates, from, to, sequence }) => {
    const key = `${profile}/${seed}`;
    const shop = shops.get(key) ?? openShop(seed, profile);
    shops.set(key, shop);
    const kept = streams.get(key);
    const stream = kept?.isAt(from, rates) ? kept : new EventStream(shop, rates, from);
    streams.set(key, stream);
    const rows = stream.read(rates, to);
    const bytes = new TextEncoder().encode(EVENT_HEADER + writeEvents(rows));
    const fileName = formatFileName({ feedTime: to, sequence, gzip: false });
    await landFile(directory, fileName, [bytes]);
    return { fileName, events: rows.length, bytes: bytes.length };
  };
}

function openShop(seed: number, name: string): Shop {
  const profile = PROFILES.get(name);
  if (profile === undefined) {
    throw new InvalidChange(
      `Cannot generate ${name}: known are ${[...PROFILES.keys()].join(", ")}`,
    );
  }
  return { seed, profile, catalog: createCatalog(seed, profile) };
}
