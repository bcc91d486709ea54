/**
 * `deno task report`: the answers that people ask first.
 *
 * @module
 */
import { Option } from "commander";
import type { Sql } from "../activities/database.ts";
import { createCommand } from "./cli/create_command.ts";
import { UsageError } from "./cli/failures.ts";
import { duration } from "./cli/numbers.ts";
import { readInstant } from "./cli/option_readers.ts";
import { type Cell, type Format, printRows } from "./cli/print_rows.ts";
import { runTask } from "./cli/run_task.ts";
import { withDatabase } from "./cli/with_database.ts";
import { readConfig } from "./config.ts";
import { askQuestions, mainCurrency } from "./report/ask_questions.ts";
import { renderHtml, type ReportHead } from "./report/render_html.ts";
import { renderTerminal } from "./report/render_terminal.ts";
import type { Answer } from "./report/report_question.ts";
import { REPORT_QUESTIONS } from "./report/report_questions.ts";
import {
  choosePeriod,
  readCurrency,
  readPeriod,
  readTimeZone,
  type ReportWindow,
} from "./report/report_window.ts";

const IDS = REPORT_QUESTIONS.map(({ id }) => id);

interface ReportOptions {
  last?: number;
  from?: number;
  to?: number;
  tz: string;
  currency?: string;
  only?: string[];
  out?: string;
  format: Format | "html";
}

const command = createCommand(
  "report",
  "Answers what people ask first about a shop, each in a sentence, a plot and a table:\n" +
    REPORT_QUESTIONS.map(({ id, title }) => `  ${id.padEnd(11)} ${title}`).join("\n"),
  {
    examples: [
      "deno task report                                  the last seven days",
      "deno task report --last 8w --tz Europe/Berlin",
      "deno task report --from 2026-01-01 --to 2026-02-01 --only products --only carts",
      "deno task report --last 8w --format html --out report.html",
    ],
  },
)
  .option("--last <period>", "the period that ends now: 1h, 24h, 7d, 8w (7d)", readPeriod)
  .option("--from <time>", "its begin, a date or RFC 3339", readInstant)
  .option("--to <time>", "its end, exclusive (now)", readInstant)
  .option("--tz <zone>", "time zone in which days and hours are cut", readTimeZone, "UTC")
  .option("--currency <code>", "the currency of all money (the one most sold in)", readCurrency)
  .addOption(
    new Option("--only <id>", "only this question; may be repeated").choices(IDS)
      .argParser((id: string, chosen: string[] = []) => {
        if (!IDS.includes(id)) {
          throw new UsageError(`Cannot report: expected --only to be one of ${IDS.join(", ")}`);
        }
        return [...chosen, id];
      }),
  )
  .option("--out <file>", "write to this file instead of stdout")
  .addOption(
    new Option("--format <format>", "html is a page of its own, with charts")
      .choices(["table", "json", "csv", "html"]).default("table"),
  )
  .action(async (options: ReportOptions) => {
    const period = choosePeriod(options, Date.now());
    const questions = REPORT_QUESTIONS.filter(({ id }) => options.only?.includes(id) ?? true);
    const startedAt = performance.now();
    const { answers, window, head } = await withDatabase(readConfig(), "reader", async (sql) => {
      const window = await chooseWindow(sql, period, options);
      return {
        window,
        answers: await askQuestions(sql, questions, window),
        head: await describeHead(sql, window),
      };
    });
    await write(render(answers, window, head, options.format), options);
    if (options.format === "table" || options.out !== undefined) {
      console.error(`Answered in ${duration(performance.now() - startedAt)}`);
    }
  });

async function chooseWindow(
  sql: Sql,
  period: { from: Date; to: Date },
  { tz, currency: wanted }: ReportOptions,
): Promise<ReportWindow> {
  const { currency, others } = await mainCurrency(sql, period);
  const window = { ...period, timeZone: tz, currency: wanted ?? currency };
  const left = [currency, ...others].filter((one) => one !== null && one !== window.currency);
  if (left.length > 0) {
    console.error(`Money in ${window.currency} only; --currency shows ${left.join(", ")}`);
  }
  return window;
}

async function describeHead(sql: Sql, window: ReportWindow): Promise<ReportHead> {
  const [row] = await sql<{ newest_event: Date | null }[]>`
    select f.newest_event from shop.freshness() f`;
  const { from, to, timeZone, currency } = window;
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    dateStyle: "short",
    timeStyle: "short",
  });
  const newest = row?.newest_event ?? null;
  return {
    period: `${format.format(from)} to ${format.format(to)} (${timeZone}${
      currency === null ? "" : `, ${currency}`
    })`,
    note: newest === null ? "No events yet" : `Newest event: ${format.format(newest)}`,
  };
}

function render(
  answers: readonly Answer[],
  window: ReportWindow,
  head: ReportHead,
  format: ReportOptions["format"],
): string | Answer[] {
  if (format === "html") return renderHtml(answers, window, head);
  if (format === "json") return renderJson(answers, window);
  if (format === "csv") return [...answers];
  const isTerminal = Deno.stdout.isTerminal();
  const style = {
    color: isTerminal && !Deno.noColor,
    width: isTerminal ? Deno.consoleSize().columns : 100,
  };
  return [
    `${head.period}\n${head.note}`,
    ...answers.map((answer, index) => renderTerminal(answer, index + 1, window, style)),
  ].join("\n\n");
}

function renderJson(answers: readonly Answer[], window: ReportWindow): string {
  return JSON.stringify(
    {
      ...window,
      answers: answers.map(({ question: { id, title }, headline, query, rows }) => ({
        id,
        title,
        headline,
        query,
        rows,
      })),
    },
    null,
    2,
  );
}

async function write(report: string | Answer[], { out, format }: ReportOptions): Promise<void> {
  if (typeof report !== "string") {
    if (out !== undefined) {
      throw new UsageError("Cannot report: --out writes html, json and tables; redirect csv");
    }
    // Answers have columns of their own: one line a value, which any tool can turn.
    const columns = ["question", "row", "column", "value"].map((name) => ({ name }));
    const cells = report.flatMap(({ question: { id }, rows }) =>
      rows.flatMap((row, index) =>
        Object.entries(row).map(([name, value]): Cell[] => [id, index + 1, name, value])
      )
    );
    return printRows(columns, cells, format as Format);
  }
  if (out === undefined) return console.log(report);
  await Deno.writeTextFile(out, report);
  console.error(`Written: ${out}`);
}

if (import.meta.main) await runTask(command);
