import { FAULT_CODES } from "../../domain/faults.ts";
import { renderFault } from "../../domain/render_fault.ts";
import { scanCsv } from "../../domain/scan_csv.ts";
import { escapeBytes } from "../cli/escape_bytes.ts";
import type { RejectDetails } from "../statements/rejects.ts";

/** All about a reject, for people: faults in words, its fields with those at fault marked, and how to go on. */
export function describeReject(reject: RejectDetails): string {
  const { rejectId, fileId, fileName, line, state, faults, corrected, isCut, reason } = reject;
  const next = state === "open"
    ? [
      "",
      "Next",
      `  deno task rejects replay ${rejectId}                     once the contract or its cause was corrected`,
      `  deno task rejects replay ${rejectId} --correct 'TEXT'    with the whole record as it should be`,
      `  deno task rejects waive ${rejectId} --reason 'WHY'       when nobody will need it`,
    ]
    : [];
  return [
    `Reject ${rejectId}: line ${line} of file ${fileId} (${fileName}) is ${state}` +
    (reason === null ? "" : `: ${reason}`),
    ...faults.map((fault) => `  ${renderFault(fault)}. ${FAULT_CODES[fault.code].advice}`),
    "",
    ...describeFields(reject),
    ...(isCut ? ["  … only the beginning is kept"] : []),
    ...(corrected === null ? [] : ["", "Corrected", `  ${escapeBytes(corrected)}`]),
    ...next,
  ].join("\n");
}

/** By column where the record can be cut into its columns, else as it is. */
function describeFields({ raw, header, delimiter, faults }: RejectDetails): string[] {
  const dialect = { delimiter: delimiter as ",", bomBytes: 0 };
  const [record, ...more] = scanCsv(raw, { dialect, byteStart: 1 });
  if (record === undefined || more.length > 0 || record.fields.length !== header.length) {
    return ["Record", `  ${escapeBytes(raw)}`];
  }
  const atFault = new Set(faults.map(({ column }) => column));
  const width = Math.max(...header.map((name) => name.length));
  const encoder = new TextEncoder();
  return [
    "Record",
    ...header.map((name, index) => {
      const mark = atFault.has(name.trim().toLowerCase()) ? ">" : " ";
      return `${mark} ${name.padEnd(width)}  ${escapeBytes(encoder.encode(record.fields[index]!))}`;
    }),
  ];
}
