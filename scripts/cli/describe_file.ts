import { renderFault } from "../../domain/render_fault.ts";
import type { FaultSummary, FileDetails, ShownFile } from "../statements/show_file.ts";
import { bytes, count, duration } from "./numbers.ts";
import { renderRows } from "./print_rows.ts";
import { shortPath } from "./short_path.ts";

/** A file of thousands of chunks is not told chunk by chunk. */
const SHOWN_CHUNKS = 12;
/** Failures of what was left where it was, or is gone: the reason says what to do, a retry would find nothing. */
const LEFT_ALONE: ReadonlySet<string> = new Set([
  "refused",
  "changed",
  "vanished",
  "unreadable_name",
]);

/**
 * All about a file, for people.
 *
 * @param webUiUrl of the Temporal server that runs, if one does
 */
export function describeFile({ file, chunks, faults }: ShownFile, webUiUrl?: string): string {
  const next = nextSteps(file);
  const sections = [
    [`File ${file.file_id}: ${file.file_name} is ${file.state}`, ...describeRow(file, webUiUrl)],
    faults.length > 0 ? ["Rejects by fault", renderFaults(faults)] : [],
    chunks.length > 1 ? [`Chunks (${count(chunks.length)})`, renderChunks(chunks)] : [],
    next.length > 0 ? ["Next", ...next.map((line) => `  ${line}`)] : [],
  ];
  return sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n")).join("\n\n");
}

/** What a person may want to do about a file: commands, each with what it does. */
export function nextSteps(file: FileDetails): string[] {
  const { file_id, state, rejected, duplicate_of, retried_as, error_code, archive_path } = file;
  if (retried_as !== null) return [`deno task files show ${retried_as}    the retry of this file`];
  switch (state) {
    case "failed":
      if (archive_path === null && LEFT_ALONE.has(error_code ?? "")) return [];
      return retrySteps(file);
    case "cancelled":
    case "unloaded":
      return retrySteps(file);
    case "duplicate":
      return [`deno task files show ${duplicate_of}    the file that holds these bytes`];
    case "loading":
      return [`deno task files cancel ${file_id}    stops it, and takes out what was loaded`];
    case "unloading":
      return [`deno task files show ${file_id}    again, until it is done`];
    case "loaded": {
      const verify = `deno task verify ${file_id}    proves that nothing is missing or doubled`;
      if ((rejected ?? 0) === 0) return [verify];
      const raw = `deno task files show ${file_id} --raw    the rejected records themselves`;
      return [raw, `deno task sql "${faultsQuery(file_id)}"`, verify];
    }
  }
}

/** One row per fault. */
function faultsQuery(fileId: number): string {
  const fields = ["code", "column", "expected"].map((name) => `f ->> '${name}' as ${name}`);
  return `select line_number as line, ${fields.join(", ")} from ingest.rejects, ` +
    `jsonb_array_elements(faults) f where file_id = ${fileId} order by 1`;
}

function retrySteps({ file_id, archive_path }: FileDetails): string[] {
  const corrected = archive_path === null ? "" : `, or ${shortPath(archive_path)} itself,`;
  return [`deno task files retry ${file_id}    once the cause${corrected} is corrected`];
}

function describeRow(file: FileDetails, webUiUrl: string | undefined): string[] {
  const workflow = encodeURIComponent(file.workflow_id);
  const pairs: [string, string | null][] = [
    ["Reason", file.error_message],
    ["Records", describeCounts(file)],
    ["Feed", file.feed],
    [
      "Size",
      bytes(file.size_bytes) + (file.sha256 ? `, sha256 ${file.sha256}` : ""),
    ],
    ["Landed at", file.path],
    ["Bytes now", file.archive_path ?? (file.settled_at ? "not kept, or still there" : "there")],
    ["Same bytes", file.duplicate_of === null ? null : `file ${file.duplicate_of}`],
    ["Supersedes", file.supersedes === null ? null : `file ${file.supersedes}, of the same name`],
    [
      "Replaced by",
      file.replaced_by === null ? null : `file ${file.replaced_by}, taken out for it`,
    ],
    ["Retry of", file.retry_of === null ? null : `file ${file.retry_of}`],
    ["Discovered", file.discovered_at],
    ["Committed", describeCommit(file)],
    ["Settled", file.settled_at],
    ["Workflow", file.workflow_id],
    ["", webUiUrl ? `${webUiUrl}/namespaces/default/workflows/${workflow}` : null],
  ];
  return pairs.filter(([, text]) => text !== null).map(([name, text]) =>
    `  ${name.padEnd(12)}${text}`
  );
}

function describeCounts({ records, loaded, duplicates, rejected }: FileDetails): string | null {
  if (records === null) return null;
  return `${count(records)} = ${count(loaded ?? 0)} loaded + ${
    count(duplicates ?? 0)
  } duplicates + ` +
    `${count(rejected ?? 0)} rejected`;
}

function describeCommit({ state, closed_at, discovered_at, committed_at }: FileDetails) {
  if (committed_at === null || state !== "loaded") return committed_at;
  const ms = Date.parse(committed_at) - Date.parse(closed_at ?? discovered_at);
  return `${committed_at}, ${duration(Math.max(0, ms))} after its writer was done`;
}

function renderFaults(faults: readonly FaultSummary[]): string {
  const rows = faults.map(({ code, column, expected, rejects, lines }) => {
    const fault = { code, ...(column && { column }), ...(expected && { expected }) };
    const shown = lines.join(", ") + (rejects > lines.length ? ", …" : "");
    return [rejects, code, renderFault(fault), shown];
  });
  const columns = [{ name: "rejects", isNumber: true }, { name: "code" }, { name: "fault" }, {
    name: "lines",
  }];
  return renderRows(columns, rows, "table");
}

function renderChunks(chunks: ShownFile["chunks"]): string {
  const rows = chunks.slice(0, SHOWN_CHUNKS).map((chunk) => [
    chunk.chunk_no,
    chunk.byte_start,
    chunk.byte_end,
    chunk.first_line,
    chunk.records,
    chunk.loaded,
    chunk.duplicates,
    chunk.rejected,
    chunk.committed_at ?? "planned",
  ]);
  const numbers = [
    "chunk",
    "from byte",
    "to byte",
    "from line",
    "records",
    "loaded",
    "dup.",
    "rej.",
  ]
    .map((name) => ({ name, isNumber: true }));
  const table = renderRows([...numbers, { name: "committed" }], rows, "table");
  const more = chunks.length - rows.length;
  return more > 0 ? `${table}\n  and ${count(more)} more: --format json lists all` : table;
}
