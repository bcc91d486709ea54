/**
 * `deno task sql`: any query, as reader.
 *
 * @module
 */
import { createCommand } from "./cli/create_command.ts";
import { UsageError } from "./cli/failures.ts";
import { count, duration } from "./cli/numbers.ts";
import { type Format, formatOption, printRows } from "./cli/print_rows.ts";
import { runTask } from "./cli/run_task.ts";
import { withDatabase } from "./cli/with_database.ts";
import { readConfig } from "./config.ts";
import { listObjects } from "./statements/list_objects.ts";
import { runQuery } from "./statements/run_query.ts";

const command = createCommand(
  "sql",
  "Runs a query as reader, who may see everything but the raw bytes of rejects.",
  {
    examples: [
      'deno task sql "select event_type, count(*) from shop.events group by 1"',
      "deno task sql --list                       what can be queried",
      "deno task sql --format csv - < query.sql   a query from stdin",
    ],
  },
)
  .argument("[query]", "one or several statements; - reads them from stdin")
  .option("--list", "print every table, view and function of shop and ingest with its comment")
  .addOption(formatOption())
  .action(async (query: string | undefined, { list, format }: { list?: true; format: Format }) => {
    if ((query === undefined) === (list === undefined)) {
      throw new UsageError("Cannot run: expected either a query, - for stdin, or --list");
    }
    const config = readConfig();
    if (query === undefined) {
      const { columns, rows } = await withDatabase(config, "reader", listObjects);
      return printRows(columns, rows, format);
    }
    const text = query === "-" ? await new Response(Deno.stdin.readable).text() : query;
    const startedAt = performance.now();
    const results = await withDatabase(config, "reader", (sql) => runQuery(sql, text));
    const elapsed = duration(performance.now() - startedAt);
    for (const { columns, rows } of results) printRows(columns, rows, format);
    const rows = results.reduce((sum, result) => sum + result.rows.length, 0);
    if (Deno.stderr.isTerminal()) {
      console.error(`${count(rows)} ${rows === 1 ? "row" : "rows"} in ${elapsed}`);
    }
  });

if (import.meta.main) await runTask(command);
