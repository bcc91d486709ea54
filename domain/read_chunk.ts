import { acceptPlainRecord, NOT_PLAIN } from "./accept_plain_record.ts";
import { UUID } from "./_column_kinds.ts";
import { contentHash } from "./content_hash.ts";
import type { Contract } from "./contract.ts";
import type { Fault } from "./faults.ts";
import { columnsOfFields, type HeaderMapping } from "./map_header.ts";
import { rescanLiteral } from "./rescan_literal.ts";
import { type CsvDialect, type CsvRecord, scanCsv } from "./scan_csv.ts";
import { epochMicros } from "./_timestamp.ts";
import { validateRecord } from "./validate_record.ts";

/** The records of one chunk, ready for the chunk transaction. */
export interface ChunkBatch {
  /** Accepted and rejected ones. May exceed the plan's count: see {@link readChunk}. */
  records: number;
  /** Valid records, as parallel arrays. */
  accepted: {
    lines: number[];
    /** Absolute offsets in the file. */
    byteStarts: number[];
    /** Without the line end. */
    byteLengths: number[];
    /** Epoch milliseconds. */
    eventTimes: number[];
    /** Signed 64-bit numbers as decimal text. */
    contentHashes: string[];
    /** By column of the contract, then by record: canonical text that PostgreSQL casts as it is. */
    columns: (string | null)[][];
    /** JSON text of the columns that the contract does not know; null when all are empty. */
    extras: (string | null)[];
    /**
     * Whether the record's bytes are its canonical values, field by field, written as plain RFC 4180: PostgreSQL
     * reads the same from them. A time may have zeros behind its last decimal.
     */
    verbatim: boolean[];
  };
  rejects: RejectedRecord[];
}

/** A record that broke the contract; its raw bytes are those of the chunk at its place. */
export interface RejectedRecord {
  line: number;
  /** Absolute offset in the file. */
  byteStart: number;
  /** Without the line end. */
  byteLength: number;
  /** At least one, never with the value. */
  faults: Fault[];
  /** The event that it names, where it can be told apart into columns and that one holds a UUID. */
  eventId?: string;
}

/** What the bytes of a chunk are. */
export interface ReadChunkOptions {
  contract: Contract;
  dialect: CsvDialect;
  mapping: HeaderMapping;
  /** When the file was discovered, in epoch milliseconds. */
  discoveredAt: number;
  /** Physical line of the first byte. */
  firstLine: number;
  /** Absolute offset of the first byte in the file. */
  byteStart: number;
}

/**
 * Scans and validates one chunk. A multi-line record that the contract rejects is scanned again
 * with its opening quote taken literally; if that yields a valid record, its pieces are records of
 * their own, so that there may be more than the plan counted.
 *
 * @param bytes The chunk: whole records.
 * @param options What the bytes are.
 * @returns Accepted records and rejects, each in the order of the file.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mapHeader } from "./map_header.ts";
 * import { SHOP_EVENTS } from "./shop_events.ts";
 *
 * const header = mapHeader(SHOP_EVENTS, SHOP_EVENTS.columns.map(({ name }) => name));
 * assert.ok(header.ok);
 * const batch = readChunk(new TextEncoder().encode("not,an,event\n"), {
 *   contract: SHOP_EVENTS,
 *   dialect: { delimiter: ",", bomBytes: 0 },
 *   mapping: header.mapping,
 *   discoveredAt: Date.UTC(2026, 0, 31),
 *   firstLine: 2,
 *   byteStart: 180,
 * });
 * assert.equal(batch.records, 1);
 * assert.deepEqual(batch.rejects[0], {
 *   line: 2,
 *   byteStart: 180,
 *   byteLength: 12,
 *   faults: [{ code: "wrong_column_count", expected: "15 fields but got 3" }],
 * });
 * ```
 */
export function readChunk(bytes: Uint8Array, options: ReadChunkOptions): ChunkBatch {
  const { dialect, firstLine, byteStart } = options;
  const { accepted, take } = collectAccepted(bytes, options);
  const eventIdOf = eventIdReader(options);
  const rejects: RejectedRecord[] = [];

  const takeOrReject = (record: CsvRecord): RejectedRecord | undefined => {
    const faults = take(record);
    if (faults === undefined) return undefined;
    const eventId = eventIdOf(record);
    const reject = {
      line: record.line,
      byteStart: record.byteStart,
      byteLength: record.byteEnd - record.byteStart,
      faults,
      ...(eventId !== undefined && { eventId }),
    };
    rejects.push(reject);
    return reject;
  };

  for (const record of scanCsv(bytes, { dialect, firstLine, byteStart })) {
    const reject = takeOrReject(record);
    if (reject === undefined) continue;
    const own = bytes.subarray(record.byteStart - byteStart, record.byteEnd - byteStart);
    const pieces = rescanLiteral(own, {
      dialect,
      firstLine: record.line,
      byteStart: record.byteStart,
    });
    if (pieces.length === 0) continue;
    const acceptedBefore = accepted.lines.length;
    rejects.pop();
    const rejectsBefore = rejects.length;
    pieces.forEach(takeOrReject);
    if (accepted.lines.length > acceptedBefore) continue;
    rejects.length = rejectsBefore;
    rejects.push(reject);
  }
  return { records: accepted.lines.length + rejects.length, accepted, rejects };
}

/** The arrays of valid records, and the function that adds a record or says what is wrong. */
function collectAccepted(
  bytes: Uint8Array,
  { contract, mapping, discoveredAt, byteStart }: ReadChunkOptions,
) {
  const { header, positions } = mapping;
  const accepted: ChunkBatch["accepted"] = {
    lines: [],
    byteStarts: [],
    byteLengths: [],
    eventTimes: [],
    contentHashes: [],
    columns: contract.columns.map(() => []),
    extras: [],
    verbatim: [],
  };
  const timeColumn = contract.columns.findIndex(({ name }) => name === contract.eventTime.column);
  const acceptPlain = acceptPlainRecord(contract, { positions, discoveredAt });
  const extrasOf = extrasWriter(mapping);
  const plainValues: (string | null)[] = contract.columns.map(() => null);
  const isVerbatim = verbatimTest(bytes, byteStart, { mapping, timeColumn });

  const add = (record: CsvRecord, eventTime: number, values: readonly (string | null)[]) => {
    accepted.lines.push(record.line);
    accepted.byteStarts.push(record.byteStart);
    accepted.byteLengths.push(record.byteEnd - record.byteStart);
    accepted.eventTimes.push(eventTime);
    accepted.contentHashes.push(contentHash(values));
    for (let column = 0; column < values.length; column++) {
      accepted.columns[column]!.push(values[column]!);
    }
    accepted.extras.push(extrasOf(record.fields));
    accepted.verbatim.push(isVerbatim(record, values));
  };

  const take = (record: CsvRecord): Fault[] | undefined => {
    const { fault, fields } = record;
    if (fault !== undefined) return [{ code: fault }];
    if (fields.length !== header.length) {
      return [{
        code: "wrong_column_count",
        expected: `${header.length} fields but got ${fields.length}`,
      }];
    }
    const plainTime = acceptPlain(fields, plainValues);
    if (plainTime !== NOT_PLAIN) return void add(record, plainTime, plainValues);

    const cells = positions.map((position) => position < 0 ? "" : fields[position]!);
    const outcome = validateRecord(contract, cells, discoveredAt);
    if (outcome.ok) {
      const eventTime = Math.floor(epochMicros(outcome.values[timeColumn]!) / 1000);
      return void add(record, eventTime, outcome.values);
    }
    return isHeader(fields, header) ? [{ code: "repeated_header" }] : outcome.faults;
  };
  return { accepted, take };
}

/** Makes the function that says whether a record's bytes are its values as they stand. */
function verbatimTest(
  bytes: Uint8Array,
  byteStart: number,
  { mapping, timeColumn }: { mapping: HeaderMapping; timeColumn: number },
) {
  if (columnsOfFields(mapping) === null) return () => false;
  const { positions } = mapping;
  const firstQuote = nextByte(bytes, QUOTE);
  return (record: CsvRecord, values: readonly (string | null)[]): boolean => {
    for (let column = 0; column < values.length; column++) {
      const field = record.fields[positions[column]!]!;
      if ((values[column] ?? "") === field) continue;
      if (column !== timeColumn || !PLAIN_UTC.test(field)) return false;
    }
    if (firstQuote(record.byteStart - byteStart) >= record.byteEnd - byteStart) return true;
    // Quotes around a field are RFC 4180; one within it may be, or not.
    return !values.some((value) => value?.includes('"'));
  };
}

const QUOTE = 0x22;
/** Of a valid time: in UTC, and written in the canonical letters. */
const PLAIN_UTC = /^.{10}T.*Z$/;

/** Makes the function that finds the next such byte from a position on; positions asked for must ascend. */
function nextByte(bytes: Uint8Array, byte: number): (from: number) => number {
  let at = -1;
  return (from) => {
    if (at < from) {
      at = bytes.indexOf(byte, from);
      if (at < 0) at = bytes.length;
    }
    return at;
  };
}

/** Reads the event that a broken record names, if it can be told. */
function eventIdReader({ contract, mapping: { header, positions } }: ReadChunkOptions) {
  const position = positions[contract.columns.findIndex(({ name }) => name === "event_id")] ?? -1;
  return ({ fault, fields }: CsvRecord): string | undefined => {
    if (fault !== undefined || fields.length !== header.length) return undefined;
    const text = fields[position]?.trim();
    return text !== undefined && UUID.test(text) ? text : undefined;
  };
}

/** Files joined one behind the other repeat the header, each with its own byte order mark. */
function isHeader(fields: readonly string[], header: readonly string[]): boolean {
  return fields.every((field, index) =>
    field === header[index] || (index === 0 && field === `\ufeff${header[0]}`)
  );
}

/** Writes a record's extra fields as JSON text; empty ones say nothing and are left out. */
function extrasWriter({ extras }: HeaderMapping): (fields: readonly string[]) => string | null {
  if (extras.length === 0) return () => null;
  const keys = extras.map(({ name, position }) => ({ key: JSON.stringify(name), position }));
  return (fields) => {
    const members = keys.flatMap(({ key, position }) =>
      fields[position] === "" ? [] : [`${key}:${JSON.stringify(fields[position])}`]
    );
    return members.length === 0 ? null : `{${members.join(",")}}`;
  };
}
