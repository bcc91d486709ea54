import type { Prng } from "../../domain/generator/prng.ts";
import type { PlantedFile } from "./_planted_files.ts";

/** Of texts, one in so many is written in place, in two pieces. */
const IN_PLACE_EVERY = 3;

/**
 * Lands a file as writers do: mostly renamed into place, some written piece by piece through a handle that stays open.
 *
 * @param options.from Directory in which it lies.
 * @param options.longestPauseMs Between the pieces at most.
 */
export async function landPlanted(
  { name, bytes, isText }: PlantedFile,
  { from, inbox, prng, longestPauseMs }: {
    from: string;
    inbox: string;
    prng: Prng;
    longestPauseMs: number;
  },
): Promise<void> {
  const isInPlace = isText && prng.below(IN_PLACE_EVERY) === 0;
  if (!isInPlace) return await Deno.rename(`${from}/${name}`, `${inbox}/${name}`);
  const [cut, pauseMs] = [prng.below(bytes.length), prng.below(longestPauseMs)];
  using file = await Deno.open(`${inbox}/${name}`, { write: true, createNew: true });
  await writeAll(file, bytes.subarray(0, cut));
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
  await writeAll(file, bytes.subarray(cut));
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
