/**
 * `deno task retain`: drops events of old months.
 *
 * @module
 */
import { InvalidArgumentError } from "commander";
import { createCommand } from "./cli/create_command.ts";
import { bytes, countOf } from "./cli/numbers.ts";
import { type Cell, type Format, formatOption, printRows } from "./cli/print_rows.ts";
import { runTask } from "./cli/run_task.ts";
import { withDatabase } from "./cli/with_database.ts";
import { readConfig } from "./config.ts";
import { dropEventsBefore, listOldMonths } from "./statements/old_months.ts";

const COLUMNS = [
  { name: "partition" },
  { name: "events", isNumber: true },
  { name: "bytes", isNumber: true },
];

const command = createCommand(
  "retain",
  "Drops the events of all months before one, as whole partitions, in an instant. What was loaded stays\n" +
    "known, so that it is never loaded again; rollups stay, so that old revenue can still be asked for; older\n" +
    "arrivals are rejected (before_horizon) from then on. There is no way back but to load the files again\n" +
    "into another database.",
  {
    examples: [
      "deno task retain --before 2026-01 --dry-run   what would go",
      "deno task retain --before 2026-01",
    ],
  },
)
  .requiredOption("--before <month>", "the first month that is kept, such as 2026-01", readMonth)
  .option("--dry-run", "print what would be dropped, and drop nothing")
  .addOption(formatOption())
  .action(
    async ({ before, dryRun, format }: { before: string; dryRun?: true; format: Format }) => {
      await withDatabase(readConfig(), "owner", async (sql) => {
        const months = await listOldMonths(sql, before);
        if (!dryRun) await dropEventsBefore(sql, before);
        if (months.length > 0 || format !== "table") {
          printRows(
            COLUMNS,
            months.map((month): Cell[] => [month.partition, month.events, month.bytes]),
            format,
          );
        }
        const events = months.reduce((sum, month) => sum + month.events, 0);
        const size = months.reduce((sum, month) => sum + month.bytes, 0);
        console.error(
          `${dryRun ? "Would drop" : "Dropped"} ${countOf(events, "event")} of ${
            countOf(months.length, "partition")
          } (${bytes(size)}) before ${before}`,
        );
      });
    },
  );

/** The first day of a month, `YYYY-MM-DD`. */
function readMonth(text: string): string {
  if (/^20\d\d-(0[1-9]|1[0-2])$/.test(text)) return `${text}-01`;
  throw new InvalidArgumentError("expected a month such as 2026-01");
}

if (import.meta.main) await runTask(command);
