/**
 * `deno task verify`: the proof that nothing was lost and nothing doubled.
 *
 * @module
 */
import { createCommand } from "./cli/create_command.ts";
import { count, countOf } from "./cli/numbers.ts";
import { type Format, formatOption, printRows } from "./cli/print_rows.ts";
import { runTask } from "./cli/run_task.ts";
import { withDatabase } from "./cli/with_database.ts";
import { readConfig } from "./config.ts";
import { findFile } from "./statements/find_file.ts";
import { type Verification, verifyLedger } from "./statements/verify_ledger.ts";

const COLUMNS = [
  { name: "invariant" },
  { name: "file_id", isNumber: true },
  { name: "violation" },
];

const command = createCommand(
  "verify",
  "Checks in one snapshot, also while files load, that every record of every loaded file was counted\n" +
    "once, every event is there once, and rollups equal their events. Prints violations and ends with\n" +
    "exit code 1, or says what was proven. The outcome is kept in ingest.verifications.",
  { examples: ["deno task verify", "deno task verify 7    only file 7"] },
)
  .argument("[file]", "file_id or name of one file; by default all files and the rollups")
  .addOption(formatOption())
  .action(async (file: string | undefined, { format }: { format: Format }) => {
    const config = readConfig();
    await withDatabase(config, "reader", async (sql) => {
      const found = file === undefined ? undefined : await findFile(sql, file);
      const proof = await verifyLedger(sql, found?.fileId);
      const rows = proof.violations.map((row) => [row.invariant, row.file_id, row.violation]);
      if (rows.length > 0 || format !== "table") printRows(COLUMNS, rows, format);
      const verdict = describe(proof, found);
      if (rows.length === 0 && format === "table") console.log(verdict);
      else console.error(verdict);
      if (rows.length > 0) Deno.exitCode = 1;
    });
  });

function describe(
  { violations, files, events }: Verification,
  file: { fileId: number; fileName: string; state: string } | undefined,
): string {
  const what = file ? `file ${file.fileId} (${file.fileName})` : countOf(files, "loaded file");
  const whole = `${what} with ${countOf(events, "event")}`;
  if (violations.length > 0) return `${count(violations.length)} violations in ${whole}`;
  if (file && file.state !== "loaded") {
    return `Proven: ${what} is ${file.state} and has ${countOf(events, "event")} in shop.events`;
  }
  const rollups = file ? "" : ", rollups equal their events (I5)";
  return `Proven: ${whole}: every record counted once (I1), every event there once (I2)${rollups}`;
}

if (import.meta.main) await runTask(command);
