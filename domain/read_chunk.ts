import type { AcceptedRecords } from "./accepted_records.ts";
import { UUID } from "./_column_kinds.ts";
import { ContentHasher } from "./content_hash.ts";
import type { Contract } from "./contract.ts";
import type { Fault } from "./faults.ts";
import type { HeaderMapping } from "./map_header.ts";
import { PlainReader } from "./_plain_reader.ts";
import { rescanLiteral } from "./rescan_literal.ts";
import { type CsvDialect, type CsvRecord, openBytes } from "./scan_csv.ts";
import { epochMicros } from "./_timestamp.ts";
import { validateRecord } from "./validate_record.ts";

/** The records of one chunk, ready for the chunk transaction. */
export interface ChunkBatch {
  /** Accepted and rejected ones. May exceed the plan's count: see {@link readChunk}. */
  records: number;
  /** Valid ones. */
  accepted: AcceptedRecords;
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
  const steps = readChunkInSteps(bytes, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** {@linkcode readChunk} that yields every few milliseconds, for a caller that has other work as well. */
export function* readChunkInSteps(
  bytes: Uint8Array,
  options: ReadChunkOptions,
): Generator<void, ChunkBatch> {
  const { dialect, firstLine, byteStart } = options;
  const { borders, reader } = openBytes(bytes, { dialect, firstLine, byteStart });
  const plain = new PlainReader({ borders, reader }, options);
  const { accepted } = plain;
  const take = takeByZod(accepted, options);
  const writeExtras = extrasWriter(options.mapping);
  const extrasOf = () => writeExtras(() => reader.toRecord(borders));
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

  for (let work = 1; borders.advance(); work++) {
    if (work > WORK_PER_STEP) {
      yield;
      work = 1;
    }
    if (borders.byteEnd === borders.byteStart) continue;
    if (plain.take(extrasOf)) continue;
    work += WORK_OF_OTHERS;
    const record = reader.toRecord(borders);
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

/** So many plainly valid records take a millisecond or two. */
const WORK_PER_STEP = 500;
/** Other records take as long as so many more of those. */
const WORK_OF_OTHERS = 4;

/** Makes the function that adds a record, or says what is wrong with it. */
function takeByZod(
  accepted: AcceptedRecords,
  { contract, mapping, discoveredAt }: ReadChunkOptions,
) {
  const { header, positions } = mapping;
  const timeColumn = contract.columns.findIndex(({ name }) => name === contract.eventTime.column);
  const extrasOf = extrasWriter(mapping);
  const hasher = new ContentHasher();
  return (record: CsvRecord): Fault[] | undefined => {
    const { fault, fields } = record;
    if (fault !== undefined) return [{ code: fault }];
    if (fields.length !== header.length) {
      return [{
        code: "wrong_column_count",
        expected: `${header.length} fields but got ${fields.length}`,
      }];
    }
    const cells = positions.map((position) => position < 0 ? "" : fields[position]!);
    const outcome = validateRecord(contract, cells, discoveredAt);
    if (!outcome.ok) {
      return isHeader(fields, header) ? [{ code: "repeated_header" }] : outcome.faults;
    }
    hasher.hash(outcome.values);
    const { line, byteStart, byteEnd } = record;
    accepted.push({
      line,
      byteStart,
      byteLength: byteEnd - byteStart,
      eventMicros: epochMicros(outcome.values[timeColumn]!),
      hashHigh: hasher.high,
      hashLow: hasher.low,
      extras: extrasOf(() => record),
    }, outcome.values);
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
function extrasWriter({ extras }: HeaderMapping): (record: () => CsvRecord) => string | null {
  if (extras.length === 0) return () => null;
  const keys = extras.map(({ name, position }) => ({ key: JSON.stringify(name), position }));
  return (record) => {
    const { fields } = record();
    const members = keys.flatMap(({ key, position }) =>
      fields[position] === "" ? [] : [`${key}:${JSON.stringify(fields[position])}`]
    );
    return members.length === 0 ? null : `{${members.join(",")}}`;
  };
}
