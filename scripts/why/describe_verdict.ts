import { FAULT_CODES } from "../../domain/faults.ts";
import { renderFault } from "../../domain/render_fault.ts";
import { count, countOf } from "../cli/numbers.ts";
import type {
  ByteRange,
  DuplicateVerdict,
  LoadedVerdict,
  NoneVerdict,
  Origin,
  RejectedVerdict,
  Verdict,
} from "../statements/why.ts";

/** A verdict for people: what became of the record, and all that led to it. */
export function describeVerdict(verdict: Verdict): string {
  if (verdict.kind === "none") return explainNone(verdict);
  const [first, ...more] = describeOutcome(verdict);
  return [first, ...more.map((line) => `  ${line}`), ...describeOrigin(verdict.origin)].join("\n");
}

function describeOutcome(verdict: Exclude<Verdict, NoneVerdict>): string[] {
  switch (verdict.kind) {
    case "loaded":
      return describeLoaded(verdict);
    case "duplicate":
      return describeDuplicate(verdict);
    case "rejected":
      return describeRejected(verdict);
  }
}

/** Why there is no such record, as one sentence. */
export function explainNone(none: NoneVerdict): string {
  if (none.why === "unknown_file") {
    return `Unknown: the ledger has no file of the number or name ${none.file}; see \`deno task files list\``;
  }
  if (none.why === "never_seen") return explainNeverSeen(none);
  const { origin, original } = none;
  if (original === null) return `${wordOf(none)}: ${placeOf(origin)} ${explainLine(none, origin)}`;
  const same = `${
    placeOf(origin)
  } has the same bytes as file ${original.fileId} (${original.fileName})`;
  return `${wordOf(none)}: ${same}, and that line there ${explainLine(none, original)}`;
}

function wordOf({ why }: NoneVerdict): string {
  return why === "not_yet" ? "Not yet" : "No record";
}

function explainLine({ why }: NoneVerdict, { fileId, state, chunkNo, ...origin }: Origin): string {
  const show = `see \`deno task files show ${fileId}\``;
  if (why === "header") return "is the header";
  if (why === "not_loaded") {
    const reason = origin.errorCode === null ? "" : ` (${origin.errorCode})`;
    return `is not in the warehouse, because the file is ${state}${reason}; ${show}`;
  }
  if (why === "no_record") {
    return "begins no record: it may be blank, the rest of a record above, or behind the end";
  }
  if (state === "unloading") return `is being taken out, because the file is unloading; ${show}`;
  const file = origin.isPaused ? "paused" : "loading";
  return chunkNo === null
    ? `waits, because the file is ${file} and not inspected yet; ${show}`
    : `waits, because the file is ${file} and chunk ${chunkNo}, which holds it, is not committed yet; ${show}`;
}

function explainNeverSeen(
  none: Extract<NoneVerdict, { why: "never_seen" }>,
): string {
  const { eventId, filesUnderWay, filesWithoutRecords, keptFrom } = none;
  const lines = [
    `Never seen: event ${eventId} is in no file that is loaded, and in no reject`,
    ...(filesUnderWay === 0 ? [] : [
      `It may come with ${
        countOf(filesUnderWay, "file")
      } under way: see \`deno task files list --state loading\``,
    ]),
    ...(filesWithoutRecords === 0 ? [] : [
      `It may be in ${
        countOf(filesWithoutRecords, "file")
      } that failed, or was cancelled or unloaded: ` +
      "the ledger does not know their records",
    ]),
    ...(keptFrom === null ? [] : [
      `Retention does not hide it: of events before ${
        monthOf(keptFrom)
      } the ledger still knows where they came from`,
    ]),
  ];
  return lines.join("\n  ");
}

function describeLoaded({ eventId, eventTime, row, origin }: LoadedVerdict): string[] {
  const first = `Loaded: event ${eventId} of ${eventTime.toISOString()} came from ${
    placeOf(origin)
  }`;
  if (row === "there") return [first];
  return [
    first,
    row === "dropped"
      ? `It is no longer in shop.events: retention has dropped what is before ${
        monthOf(origin.keptFrom!)
      }`
      : "It is not in shop.events, and retention did not drop it: run `deno task verify`",
  ];
}

function describeDuplicate({ eventId, isWholeFile, origin, original }: DuplicateVerdict): string[] {
  const first = original &&
    `line ${count(original.line)} of file ${original.fileId} (${original.fileName})`;
  if (isWholeFile) {
    return [
      `Duplicate: ${placeOf(origin)} is ${first}, because all bytes of the two files are the same`,
    ];
  }
  const from = first === null ? "" : `, which was loaded from ${first}`;
  return [`Duplicate: ${placeOf(origin)} repeats event ${eventId}${from}`];
}

function describeRejected(verdict: RejectedVerdict): string[] {
  const { rejectId, state, reason, faults, isCorrected, replayedAs, origin } = verdict;
  return [
    `Rejected (${state}): ${placeOf(origin)}, reject ${rejectId}${
      reason === null ? "" : `: ${reason}`
    }`,
    ...faults.flatMap((fault) => [
      `${renderFault(fault)}. ${FAULT_CODES[fault.code].advice}`,
      ...(fault.code === "before_horizon" && origin.keptFrom !== null
        ? [`Events from ${monthOf(origin.keptFrom)} on are kept`]
        : []),
    ]),
    ...(replayedAs === null ? [] : [
      `Replayed${isCorrected ? " with a correction" : ""}: it ${
        replayedAs.kind === "loaded" ? "is now" : "repeats"
      } event ${replayedAs.eventId}`,
    ]),
    ...(isCorrected && state === "open" ? ["A correction is stored, and not replayed"] : []),
  ];
}

function placeOf({ line, fileId, fileName }: Origin): string {
  return `line ${count(line)} of file ${fileId} (${fileName})`;
}

function monthOf(time: Date): string {
  return time.toISOString().slice(0, 7);
}

function describeOrigin(origin: Origin): string[] {
  const { state, sha256, path, bytes, isExpanded, chunkNo, attempt, worker, committedAt } = origin;
  const pairs: [string, string | null][] = [
    ["file", `${state}${sha256 === null ? "" : `, sha256 ${sha256}`}`],
    ["path", path],
    ["bytes", bytes && `${describeBytes(bytes)}${isExpanded ? ", once expanded" : ""}`],
    [
      "committed",
      committedAt &&
      `${committedAt.toISOString()} as chunk ${chunkNo} by ${worker}, attempt ${attempt}`,
    ],
    ["contract", `version ${origin.contractVersion}`],
    ["workflow", `${origin.workflowId}${origin.runId === null ? "" : `, run ${origin.runId}`}`],
  ];
  return pairs.flatMap(([name, text]) => text === null ? [] : [`  ${name.padEnd(10)}${text}`]);
}

function describeBytes({ start, length, of }: ByteRange): string {
  const range = `${countOf(length, "byte")} from offset ${count(start)}`;
  return of === "record" ? range : `within its chunk of ${range}`;
}
