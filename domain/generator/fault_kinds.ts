import type { RecordFaultCode } from "../faults.ts";

/**
 * What the pipeline must make of a fault. Of a record: it is loaded, or a duplicate of one that is,
 * or rejected with a code. Of a whole file: the state that the ledger gives it.
 */
export type Verdict = "loaded" | "duplicate" | `rejected:${RecordFaultCode}`;

interface FaultKindDefinition {
  /** A `record` fault concerns one record, a `file` fault a whole file. */
  readonly of: "record" | "file";
  /** Null: the value decides (`bad_values.ts`). */
  readonly verdict: Verdict | null;
  /** What is wrong, for people. */
  readonly says: string;
}

const record = <V extends Verdict | null>(verdict: V, says: string) =>
  ({ of: "record", verdict, says }) as const;
const file = <V extends Verdict>(verdict: V, says: string) =>
  ({ of: "file", verdict, says }) as const;

/**
 * Every fault that the generator can plant, with its expected verdict: the one list.
 *
 * Of an event that stands in two places, as duplicate or in conflict with itself, one is loaded and
 * the other gets the verdict; which is not promised, as files load side by side.
 */
export const PLANTED_FAULTS = {
  duplicate_event: record("duplicate", "the event is written a second time, later on"),
  conflicting_event: record(
    "rejected:conflicting_event",
    "the event is written a second time, later on, with another price",
  ),
  late_event: record("loaded", "the event is written later on, behind younger ones"),
  bad_value: record(null, "a column has a value that the contract does not take"),
  missing_column: record("rejected:wrong_column_count", "the record lacks its last field"),
  extra_column: record("rejected:wrong_column_count", "the record has a field too many"),
  broken_quote: record("rejected:broken_quote", "a quote is opened and not closed"),
  invalid_utf8: record("rejected:invalid_utf8", "a text is written as Latin-1"),
  nul_byte: record("rejected:nul_byte", "a text contains a NUL byte"),
  half_written_file: file("loaded", "the file is written in place: first a part of it, then all"),
  renamed_copy: file("duplicate", "the file lands again under another name"),
  drifted_header: file("loaded", "the header has a renamed, moved or unknown column"),
} as const satisfies Record<string, FaultKindDefinition>;

/** Any kind of {@linkcode PLANTED_FAULTS}. */
export type FaultKind = keyof typeof PLANTED_FAULTS;

type KindOf<Scope> = {
  [Kind in FaultKind]: (typeof PLANTED_FAULTS)[Kind]["of"] extends Scope ? Kind : never;
}[FaultKind];

/** What can be wrong with a record of an otherwise good file. */
export type RecordFaultKind = KindOf<"record">;

/** What can be wrong with a whole file. */
export type FileFaultKind = KindOf<"file">;

const kinds = Object.keys(PLANTED_FAULTS) as FaultKind[];

/** All kinds of records, in the order of {@linkcode PLANTED_FAULTS}. */
export const RECORD_FAULT_KINDS: readonly RecordFaultKind[] = kinds.filter(
  (kind): kind is RecordFaultKind => PLANTED_FAULTS[kind].of === "record",
);

/** All kinds of files, in the order of {@linkcode PLANTED_FAULTS}. */
export const FILE_FAULT_KINDS: readonly FileFaultKind[] = kinds.filter(
  (kind): kind is FileFaultKind => PLANTED_FAULTS[kind].of === "file",
);

/** Kinds of which a record is written some time after its event. */
export const DELAYED_KINDS: readonly RecordFaultKind[] = [
  "duplicate_event",
  "conflicting_event",
  "late_event",
];

/** One planted fault: a line of the ground truth. */
export interface PlantedFault {
  /** Name under which the file lands. */
  file: string;
  /** Physical line; the header is line 1. Null when the fault is of the file. */
  line: number | null;
  kind: FaultKind;
  verdict: Verdict;
  /** The event's id, also where the file's is broken. Null when the fault is of the file. */
  eventId: string | null;
  /** The column with the bad value, or the one that the header renames or adds. */
  column?: string;
  /** Of a copy, the name of the file whose bytes it has. */
  copyOf?: string;
}

/**
 * Writes the ground truth: one JSON object a line, with `file`, `line`, `kind`, `event_id`, the
 * expected `verdict`, and `column` or `copy_of` where there is one.
 */
export function writeTruth(faults: readonly PlantedFault[]): string {
  return faults.map(({ file, line, kind, verdict, eventId, column, copyOf }) =>
    `${JSON.stringify({ file, line, kind, event_id: eventId, verdict, column, copy_of: copyOf })}\n`
  ).join("");
}
