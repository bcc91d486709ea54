import { mkdir } from "node:fs/promises";
import { writeTruth } from "../domain/generator/fault_kinds.ts";
import { type TickFile, TickFiles } from "../domain/generator/tick_files.ts";
import type { Tick, TickResult } from "../domain/generator_state.ts";
import { landFile } from "./land_file.ts";
import { landInPlace } from "./land_in_place.ts";

const BEAT_MS = 1_000;

/**
 * Lands the file of one tick. It reads no clock: the tick decides name and bytes, so an attempt after a crash either
 * finds the file landed or lands the same one. The truth about its faults lands before it, so that no file is without.
 *
 * @param options.beat Called every second while a tick lands.
 * @returns Makes the activity; what it keeps between ticks only saves work.
 */
export function createLandTick(
  { beat = () => {} }: { beat?: () => void } = {},
): (tick: Tick) => Promise<TickResult> {
  const files = new TickFiles();
  return async (tick) => {
    const beating = setInterval(beat, BEAT_MS);
    try {
      const file = files.make(tick);
      await land(tick, file);
      const { name, events, bytes, truth } = file;
      return { fileName: name, events, bytes: bytes.length, faults: truth.length };
    } finally {
      clearInterval(beating);
    }
  };
}

async function land(
  { directory, truthDirectory }: Tick,
  { name, bytes, fault, truth }: TickFile,
): Promise<void> {
  if (truth.length > 0) {
    await mkdir(truthDirectory, { recursive: true });
    const lines = new TextEncoder().encode(writeTruth(truth));
    await landFile(truthDirectory, `${name}.jsonl`, [lines]);
  }
  if (fault.kind === "half_written_file") await landInPlace(directory, name, [bytes]);
  else await landFile(directory, name, [bytes]);
  if (fault.copyName !== null) await landFile(directory, fault.copyName, [bytes]);
}
