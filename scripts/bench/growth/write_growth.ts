import { join } from "node:path";
import { count } from "../../cli/numbers.ts";
import { round } from "../round.ts";
import { drawGrowth } from "./draw_growth.ts";
import type { GrowthPoint } from "./measure_growth.ts";
import { renderX } from "./render_growth.ts";

const PAGE = "performance.md";
const IMAGE = "images/growth.svg";
const [BEGIN, END] = ["<!-- growth: written by a command -->", "<!-- growth: end -->"];

/** How the figures came to be. */
export interface Measured {
  /** In a few words. */
  readonly machine: string;
  readonly command: string;
}

/**
 * Puts table and plot into the page on performance, between its markers; a page without them gets them at its end.
 *
 * @param docs The directory of the page.
 * @returns Paths of what was written.
 */
export async function writeGrowth(
  docs: string,
  points: readonly GrowthPoint[],
  measured: Measured,
): Promise<string[]> {
  const [page, image] = [join(docs, PAGE), join(docs, IMAGE)];
  await Deno.mkdir(join(docs, "images"), { recursive: true });
  await Deno.writeTextFile(image, `${drawGrowth(points)}\n`);
  const text = await Deno.readTextFile(page).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "# Performance\n";
    throw error;
  });
  await Deno.writeTextFile(page, replaceSection(text, renderSection(points, measured)));
  await format(page);
  return [page, image];
}

function replaceSection(text: string, section: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) return `${text.trimEnd()}\n\n${section}\n`;
  return text.slice(0, begin) + section + text.slice(end + END.length);
}

function renderSection(points: readonly GrowthPoint[], measured: Measured): string {
  const rows = points.map((point) => [
    point.series,
    renderX(point),
    count(point.records),
    round(point.seconds),
    count(round(point.records / point.seconds)!),
  ]);
  const table = [
    ["grows", "to", "records", "seconds", "records/s"],
    ["-", "-:", "-:", "-:", "-:"],
    ...rows,
  ].map((row) => `| ${row.join(" | ")} |`);
  return [
    BEGIN,
    `![How the time of a load grows](${IMAGE})`,
    table.join("\n"),
    `Until the last file is archived and all can be queried, on ${measured.machine}, by ` +
    `\`${measured.command}\`.`,
    END,
  ].join("\n\n");
}

/** The page is checked as all others are, whatever the machine is called. */
async function format(page: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--line-width=100", page],
  }).output();
  if (!success) throw new Error(`Cannot format ${page}: ${new TextDecoder().decode(stderr)}`);
}
