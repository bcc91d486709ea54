import { join } from "node:path";
import { count } from "../../cli/numbers.ts";
import { round } from "../round.ts";
import { drawGrowth } from "./draw_growth.ts";
import type { GrowthPoint } from "./measure_growth.ts";
import { renderX } from "./render_growth.ts";

const PAGE = "performance.md";
const IMAGE = "images/growth.svg";
const [BEGIN, END] = ["<!-- growth: written by a command -->", "<!-- growth: end -->"];

/**
 * Puts table and plot into the page on performance, between its markers; a page without them gets them at its end.
 *
 * @param docs The directory of the page.
 * @param machine What it was measured on, in a few words.
 * @returns Paths of what was written.
 */
export async function writeGrowth(
  docs: string,
  points: readonly GrowthPoint[],
  machine: string,
): Promise<string[]> {
  const [page, image] = [join(docs, PAGE), join(docs, IMAGE)];
  await Deno.mkdir(join(docs, "images"), { recursive: true });
  await Deno.writeTextFile(image, `${drawGrowth(points)}\n`);
  const text = await Deno.readTextFile(page).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "# Performance\n";
    throw error;
  });
  await Deno.writeTextFile(page, replaceSection(text, renderSection(points, machine)));
  return [page, image];
}

function replaceSection(text: string, section: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) return `${text.trimEnd()}\n\n${section}\n`;
  return text.slice(0, begin) + section + text.slice(end + END.length);
}

function renderSection(points: readonly GrowthPoint[], machine: string): string {
  const header = ["grows", "to", "records", "seconds", "records/s"];
  const cells = points.map((point) => [
    point.series,
    renderX(point),
    count(point.records),
    String(round(point.seconds)),
    count(round(point.records / point.seconds)!),
  ]);
  // As `deno fmt` has it: the page is checked as all others are.
  const widths = header.map((name, column) =>
    Math.max(name.length, ...cells.map((row) => row[column]!.length))
  );
  const line = (row: string[]) =>
    `| ${
      row.map((cell, column) =>
        column < 1 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
      ).join(" | ")
    } |`;
  const rule = `| ${
    widths.map((width, column) => column < 1 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)
      .join(
        " | ",
      )
  } |`;
  return [
    BEGIN,
    "",
    `![How the time of a load grows](${IMAGE})`,
    "",
    [line(header), rule, ...cells.map(line)].join("\n"),
    "",
    `Until the last file is archived and all can be queried, on ${machine}, by`,
    "`deno task bench --growth`.",
    "",
    END,
  ].join("\n");
}
