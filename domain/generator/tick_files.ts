import { Buffer } from "node:buffer";
import { InvalidChange } from "../generator_change.ts";
import { LONGEST_DELAY_MS, type Tick } from "../generator_state.ts";
import { createCatalog } from "./create_catalog.ts";
import { EventStream, type Shop } from "./event_stream.ts";
import { DELAYED_KINDS, type PlantedFault } from "./fault_kinds.ts";
import { FaultPlanter } from "./fault_planter.ts";
import { FaultyText } from "./faulty_text.ts";
import { drawFileFault, type FileFault } from "./file_fault.ts";
import { formatFileName } from "./file_name.ts";
import { PROFILES } from "./profiles.ts";

/** The file of a tick, before it lands. */
export interface TickFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Events of the window. */
  readonly events: number;
  /** What is wrong with the file as a whole. */
  readonly fault: FileFault;
  /** All faults planted, those of the file first. */
  readonly truth: readonly PlantedFault[];
}

/** What is kept from one tick to the next. */
interface Kept {
  readonly key: string;
  readonly stream: EventStream;
  readonly planter: FaultPlanter;
}

/**
 * Makes the files of ticks. A tick decides its bytes; what is kept from the one before only saves
 * work, and is made anew whenever it does not fit.
 */
export class TickFiles {
  private readonly shops = new Map<string, Shop>();
  private kept: Kept | null = null;

  /** @throws {InvalidChange} when the profile is not known */
  make(tick: Tick): TickFile {
    const { seed, rates, to, sequence, faults } = tick;
    const { stream, planter } = this.kept = this.reach(tick);
    const rows = stream.read(rates, to);
    const name = formatFileName({ feedTime: to, sequence, gzip: false });
    const fault = drawFileFault({ seed, sequence, shares: faults, name });
    const text = new FaultyText(name, fault.drift);
    const bytes = Buffer.concat([text.header(), text.write(planter.plant(rows, to))]);
    return { name, bytes, events: rows.length, fault, truth: [...fault.truth, ...text.truth] };
  }

  /** Stream and planter at the beginning of a tick's window. */
  private reach(tick: Tick): Kept {
    const { seed, profile, rates, from, since, faults } = tick;
    const key = JSON.stringify([seed, profile, since, faults]);
    if (this.kept?.key === key && this.kept.stream.isAt(from, rates)) return this.kept;
    const planter = new FaultPlanter({ seed, shares: faults, longestDelayMs: LONGEST_DELAY_MS });
    const isLater = DELAYED_KINDS.some((kind) => (faults[kind] ?? 0) > 0);
    const start = isLater ? Math.max(from - LONGEST_DELAY_MS, since) : from;
    const stream = new EventStream(this.shop(seed, profile), rates, start);
    // Written by earlier ticks; what of it is still to come stays with the planter.
    if (start < from) planter.plant(stream.read(rates, from), from);
    return { key, stream, planter };
  }

  private shop(seed: number, name: string): Shop {
    const key = `${name}/${seed}`;
    const kept = this.shops.get(key);
    if (kept !== undefined) return kept;
    const profile = PROFILES.get(name);
    if (profile === undefined) {
      const known = [...PROFILES.keys()].join(", ");
      throw new InvalidChange(`Cannot generate ${name}: known are ${known}`);
    }
    const shop = { seed, profile, catalog: createCatalog(seed, profile) };
    this.shops.set(key, shop);
    return shop;
  }
}
