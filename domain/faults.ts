/** What one code of the list below says. */
interface FaultDefinition {
  /** A `record` fault rejects one record, a `file` fault fails the whole file. */
  readonly scope: "record" | "file";
  /** Does a record rejected for this count for the file's error budget? */
  readonly countsForErrorBudget: boolean;
  /** What happened: a clause without full stop that can follow a colon. */
  readonly message: string;
  /** What to do about it: one sentence. */
  readonly advice: string;
}

const record = (message: string, advice: string) =>
  ({ scope: "record", countsForErrorBudget: true, message, advice }) as const;
/** The record itself is sound: a whole file of these is no sign of a broken file. */
const soundRecord = (message: string, advice: string) =>
  ({ scope: "record", countsForErrorBudget: false, message, advice }) as const;
const file = (message: string, advice: string) =>
  ({ scope: "file", countsForErrorBudget: false, message, advice }) as const;

/**
 * Every fault a record or a file can have: the one list. The types, the messages and the check
 * constraints of the ledger follow from it.
 *
 * @example Ask what a code means
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(FAULT_CODES.nul_byte.message, "the record contains a NUL byte");
 * assert.equal(FAULT_CODES.before_horizon.countsForErrorBudget, false);
 * ```
 */
export const FAULT_CODES = {
  // The bytes are not a record.
  broken_quote: record(
    "a quoted field is opened and not closed",
    "Close the quote, or double each quote inside a quoted field.",
  ),
  record_too_long: record(
    "the record is longer than 1 MiB",
    "Look for a missing quote or line end before this line.",
  ),
  too_many_columns: record(
    "the record has more than 1,000 columns",
    "Look for a missing line end, or a wrong delimiter.",
  ),
  invalid_utf8: record(
    "the record is not valid UTF-8",
    "Export the file as UTF-8; a common cause is a Latin-1 or Windows-1252 export.",
  ),
  nul_byte: record(
    "the record contains a NUL byte",
    "Find out what wrote it: a disk that filled up, or UTF-16 without a byte order mark.",
  ),
  wrong_column_count: record(
    "the record has another number of fields than the header",
    "Quote each field that holds the delimiter; else look for a line that was cut.",
  ),
  repeated_header: record(
    "the header is repeated among the records",
    "Nothing is lost; drop the extra header when files are joined.",
  ),

  // A value breaks its column's rule.
  missing_value: record("a required value is empty", "Fill the column, or drop the record."),
  invalid_uuid: record(
    "the value is not a UUID",
    "Write 32 hexadecimal digits as 8-4-4-4-12, without braces.",
  ),
  invalid_timestamp: record(
    "the value is not a point in time",
    "Write RFC 3339 with a zone and at most 6 decimals, as in 2026-01-31T09:30:00Z.",
  ),
  invalid_number: record(
    "the value is not a number of the expected form",
    "Write plain digits with a decimal point: no currency sign, exponent or thousands separator.",
  ),
  out_of_range: record(
    "the value is outside the allowed range",
    "Correct the value where it was produced; for times, look at that machine's clock.",
  ),
  unknown_value: record(
    "the value is not one of the allowed ones",
    "Map it to an allowed value, or add an alias to the contract.",
  ),
  too_long: record("the text is too long", "Shorten it where it is produced."),
  control_character: record(
    "the text contains a control character",
    "Remove all control characters but tabs and line breaks.",
  ),

  // The values contradict each other.
  purchase_without_order: record(
    "a purchase has no order_id",
    "Fill order_id: a purchase without it cannot be told from another.",
  ),
  order_without_purchase: record(
    "an event that is not a purchase has an order_id",
    "Leave order_id empty, or correct event_type.",
  ),
  view_with_quantity: record(
    "a product_view has a quantity other than 1",
    "Write 1, or correct event_type.",
  ),

  // The record is sound, but the warehouse cannot take it.
  before_horizon: soundRecord(
    "the event is older than the data that is kept",
    "Nothing to correct: retention has dropped its month.",
  ),
  conflicting_event: soundRecord(
    "the event_id is already loaded with other values",
    "If this file is the correction, run `deno task files replace NEW`; otherwise look for an id used twice.",
  ),

  // The file as a whole cannot be loaded.
  refused: file(
    "it is not a regular file",
    "Put the file itself into the inbox, not a link, directory, pipe or device.",
  ),
  unreadable: file(
    "it cannot be read",
    "Check its permissions and the disk, then run `deno task files retry`.",
  ),
  unreadable_name: file("its name is not valid UTF-8", "Rename it."),
  vanished: file(
    "it was gone before it was read",
    "Put it into the inbox again; move files only after they are settled.",
  ),
  empty_file: file(
    "it is empty",
    "If it was still being written: write it under a name that starts with a dot, and rename it when it is whole.",
  ),
  unsupported_encoding: file(
    "its text encoding is not supported",
    "Write it as UTF-8, or as UTF-16 with a byte order mark.",
  ),
  broken_compression: file(
    "its compressed data is damaged or cut",
    "Compress it again; `gzip -t` or `zstd -t` tells whether a file is whole.",
  ),
  too_large_expanded: file(
    "it is larger than allowed once expanded",
    "Split it, or raise the limit if the size is as intended.",
  ),
  header_not_recognised: file(
    "its first line is not the header of this feed",
    "Check that it is a file of this feed. Correct the header, or add an alias to domain/shop_events.ts.",
  ),
  missing_column: file(
    "its header lacks required columns",
    "Correct the header, or add an alias to domain/shop_events.ts.",
  ),
  duplicate_column: file("its header has a column twice", "Rename or drop one of the two."),
  unexpected_column: file(
    "its header has columns that the contract does not know",
    "Drop them, or set CLICKLEDGER_DRIFT to rescue or ignore.",
  ),
  changed: file(
    "it changed while it was being loaded",
    "Nothing to do: the new version is loaded as a file of its own. Write under a hidden name, then rename.",
  ),
  replaced: file(
    "another version took its place before it could be moved",
    "Nothing to do: its rows are loaded, and the new version is loaded as a file of its own.",
  ),
  error_budget: file(
    "too many of its records were rejected",
    "See `deno task rejects list`, correct the cause, then run `deno task files retry`.",
  ),
  cancelled: file("it was cancelled", "Run `deno task files retry` to load it after all."),
} as const satisfies Record<string, FaultDefinition>;

/** Any code of {@link FAULT_CODES}. */
export type FaultCode = keyof typeof FAULT_CODES;

type CodeOfScope<Scope> = {
  [Code in FaultCode]: (typeof FAULT_CODES)[Code]["scope"] extends Scope ? Code : never;
}[FaultCode];

/** The codes that reject one record. */
export type RecordFaultCode = CodeOfScope<"record">;

/** The codes that fail a whole file. */
export type FileFaultCode = CodeOfScope<"file">;

/** Why a record was rejected; never holds the value, so that it may be logged. */
export interface Fault {
  code: RecordFaultCode;
  /** The contract's column, when one is to blame. */
  column?: string;
  /** What a right value looks like; reads on after "expected". */
  expected?: string;
}

/** Why a file cannot be loaded; holds column names, never cell values. */
export interface FileFault {
  code: FileFaultCode;
  /** The columns to blame. */
  columns?: string[];
  /** The header's column names as found; left out where the first line may hold data. */
  seen?: string[];
  /** Columns that the header has, but for a slip or two; set where `seen` is. */
  misspelt?: { column: string; by: string }[];
}

const codes = Object.keys(FAULT_CODES) as FaultCode[];

/** All codes of records, in the order of {@link FAULT_CODES}. */
export const RECORD_FAULT_CODES: readonly RecordFaultCode[] = codes.filter(
  (code): code is RecordFaultCode => FAULT_CODES[code].scope === "record",
);

/** All codes of files, in the order of {@link FAULT_CODES}. */
export const FILE_FAULT_CODES: readonly FileFaultCode[] = codes.filter(
  (code): code is FileFaultCode => FAULT_CODES[code].scope === "file",
);
