import type { Profile } from "../../domain/generator/profile.ts";
import { type Column, type Format, printRows } from "../cli/print_rows.ts";
import { checkProfile } from "../check_profile.ts";

/** As many as the published figures are compared with. */
export const PROFILE_EVENTS = 1_000_000;

/**
 * Prints figures of generated events beside those published about real shops; `Deno.exitCode` is 1
 * when one is outside its range.
 *
 * @param options About how many `events`, four weeks of them, for each of `seeds` seeds from `seed` on.
 */
export function printProfile(
  { seed, seeds = 1, events = PROFILE_EVENTS, shop, format }: {
    seed: number;
    seeds?: number;
    events?: number;
    shop: Profile;
    format: Format;
  },
): void {
  const runs = Array.from({ length: seeds }, (_, index) => {
    console.error(`Generating ${events} events of seed ${seed + index}`);
    return checkProfile({ seed: seed + index, events, profile: shop }).map((figure) => ({
      ...figure,
      seed: seed + index,
    }));
  });
  // The seeds of a figure below each other.
  const rows = runs[0]!.flatMap((_, index) => runs.map((run) => run[index]!));
  const columns: Column[] = [
    { name: "figure" },
    { name: "published", isNumber: true },
    { name: "lowest", isNumber: true },
    { name: "highest", isNumber: true },
    { name: "seed", isNumber: true },
    { name: "generated", isNumber: true },
    { name: "inside" },
    { name: "source" },
  ];
  printRows(
    columns,
    rows.map(({ figure, published, lowest, highest, seed, generated, inside, source }) => [
      ...[figure, published, round(lowest), round(highest), seed, round(generated)],
      ...[inside ? "yes" : "no", source],
    ]),
    format,
  );
  const outside = rows.filter(({ inside }) => !inside).length;
  console.error(`${outside} of ${rows.length} figures outside`);
  if (outside > 0) Deno.exitCode = 1;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
