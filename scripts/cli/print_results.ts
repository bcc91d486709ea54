import type { FileProgress } from "../statements/file_progress.ts";
import { howToRetry } from "./how_to_retry.ts";
import { type Format, printRows } from "./print_rows.ts";

const COLUMNS = [
  { name: "file_id", isNumber: true },
  { name: "file_name" },
  { name: "state" },
  { name: "records", isNumber: true },
  { name: "loaded", isNumber: true },
  { name: "duplicates", isNumber: true },
  { name: "rejected", isNumber: true },
];

/** What became of some files, on stdout; on stderr why, and how to go on. */
export function printResults(files: readonly FileProgress[], format: Format): void {
  const rows = files.map((file) => [
    file.fileId,
    file.fileName,
    file.state,
    file.records,
    file.loaded,
    file.duplicates,
    file.rejected,
  ]);
  printRows(COLUMNS, rows, format);
  for (const file of files) {
    const remark = remarkOn(file);
    if (remark !== undefined) console.error(remark);
  }
}

function remarkOn(file: FileProgress): string | undefined {
  const { fileId, fileName, errorMessage, duplicateOf, rejected } = file;
  if (errorMessage !== null) {
    const next = howToRetry(file);
    return `${fileName}: ${errorMessage}${next === undefined ? "" : `\n${fileName}: ${next}`}`;
  }
  if (duplicateOf !== null) return `${fileName}: file ${duplicateOf} has the same bytes`;
  if (rejected > 0) return `${fileName}: see why with \`deno task files show ${fileId}\``;
}
