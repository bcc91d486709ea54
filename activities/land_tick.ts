import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeTruth } from "../domain/generator/fault_kinds.ts";
import { type TickFile, TickFiles } from "../domain/generator/tick_files.ts";
import type { Tick, TickResult } from "../domain/generator_state.ts";
import { landFile } from "./land_file.ts";
import { landInPlace } from "./land_in_place.ts";

const BEAT_MS = 1_000;

/** What landing works with besides the disk. */
interface Surroundings {
  /** Called every second while a tick lands. */
  beat?: () => void;
  /** Which attempt at the tick this is, from 1. */
  attempt?: () => number;
  /** Was a file with these bytes seen at this path? Asked only after an attempt that failed. */
  wasIngested?: (path: string, sha256: string) => Promise<boolean>;
}

/**
 * Lands the file of one tick. It reads no clock: the tick decides name and bytes, so an attempt after a crash either
 * finds the file landed, be it archived by now, or lands the same one. The truth about its faults lands before it, so
 * that no file is without.
 *
 * @returns Makes the activity; what it keeps between ticks only saves work.
 */
export function createLandTick(
  { beat = () => {}, attempt = () => 1, wasIngested }: Surroundings = {},
): (tick: Tick) => Promise<TickResult> {
  const files = new TickFiles();
  return async (tick) => {
    const isRetry = attempt() > 1;
    const beating = setInterval(beat, BEAT_MS);
    try {
      const file = files.make(tick);
      const { name, events, bytes, fault, truth } = file;
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const isGone = async (name: string) =>
        isRetry && await wasIngested?.(join(tick.directory, name), sha256) === true;
      await landTruth(tick, file);
      if (!await isGone(name)) await land(tick.directory, file);
      if (fault.copyName !== null && !await isGone(fault.copyName)) {
        await landFile(tick.directory, fault.copyName, [bytes]);
      }
      return { fileName: name, events, bytes: bytes.length, faults: truth.length };
    } finally {
      clearInterval(beating);
    }
  };
}

async function landTruth({ truthDirectory }: Tick, { name, truth }: TickFile): Promise<void> {
  if (truth.length === 0) return;
  await mkdir(truthDirectory, { recursive: true });
  const lines = new TextEncoder().encode(writeTruth(truth));
  // That of an earlier generator which came to the same name is of other bytes.
  await rm(join(truthDirectory, `${name}.jsonl`), { force: true });
  await landFile(truthDirectory, `${name}.jsonl`, [lines]);
}

async function land(directory: string, { name, bytes, fault }: TickFile): Promise<void> {
  if (fault.kind === "half_written_file") await landInPlace(directory, name, [bytes]);
  else await landFile(directory, name, [bytes]);
}
