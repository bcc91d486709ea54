/**
 * Figures of a million generated events beside published ones, for three seeds; exit code 1 when one
 * is out of its range: `deno run -A tests/bench/check_profile_bench.ts [events] [seed]...`.
 */
import Table from "cli-table3";
import { checkProfile } from "../../scripts/check_profile.ts";

const [events = 1_000_000, ...seeds] = Deno.args.map(Number);
const runs = (seeds.length > 0 ? seeds : [1, 2, 3]).map((seed) => ({
  seed,
  figures: checkProfile({ seed, events }),
}));
const table = new Table({
  head: ["figure", "published", "range", ...runs.map(({ seed }) => `seed ${seed}`), "source"],
});
runs[0]!.figures.forEach(({ figure, published, lowest, highest, source }, index) => {
  const values = runs.map(({ figures }) => {
    const { generated, inside } = figures[index]!;
    return `${generated.toFixed(2)}${inside ? "" : " outside"}`;
  });
  table.push([
    figure,
    published,
    `${lowest.toFixed(2)} .. ${highest.toFixed(2)}`,
    ...values,
    source,
  ]);
});
console.log(table.toString());
const outside = runs.flatMap(({ figures }) => figures).filter(({ inside }) => !inside).length;
console.log(`${outside} of ${runs.length * runs[0]!.figures.length} figures outside`);
Deno.exit(outside === 0 ? 0 : 1);
