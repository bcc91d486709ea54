import type { Sql } from "../../activities/database.ts";
import { type Column, printRows } from "../cli/print_rows.ts";
import type { RunFile } from "../services/run_file.ts";
import { DEMO_QUERIES } from "../statements/demo_queries.ts";
import { runQuery } from "../statements/run_query.ts";

/** Prints what SQL can tell, each answer below its query. */
export async function printResults(sql: Sql): Promise<void> {
  for (const { question, query } of DEMO_QUERIES) {
    const [result] = await runQuery(sql, query);
    console.log(`\n-- ${question}\n${query};`);
    printRows(result?.columns ?? ([] as Column[]), result?.rows ?? [], "table");
  }
}

/** Says how to go on from here, on stderr. */
export function printWhatNext({ inbox, webUiUrl, dashboardUrl }: RunFile): void {
  const lines = [
    "",
    "It goes on: the generator lands a file every 1 to 3 s. In another terminal:",
    "  deno task files list                 what became of each file",
    "  deno task verify                     proof that nothing is missing or doubled",
    "  deno task report --last 8w           what people ask first about a shop",
    "  deno task sql --list                 what can be queried",
    "  deno task generate --rate 500        more traffic, from now on; --pause, --resume, --stop",
    "  deno task ingest my.csv --dry-run    what would be rejected of a file of yours",
    "",
    ...(dashboardUrl ? [`  Dashboard  ${dashboardUrl}`] : []),
    ...(webUiUrl ? [`  Web UI     ${webUiUrl}`] : []),
    `  Inbox      ${inbox}`,
    "  Stop       Ctrl-C",
    "",
  ];
  console.error(lines.join("\n"));
}
