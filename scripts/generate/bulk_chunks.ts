import { Buffer } from "node:buffer";
import { writeTruth } from "../../domain/generator/fault_kinds.ts";
import type { FaultPlanter } from "../../domain/generator/fault_planter.ts";
import { FaultyText } from "../../domain/generator/faulty_text.ts";
import type { FileFault } from "../../domain/generator/file_fault.ts";
import type { RowSource } from "../../domain/generator/row_source.ts";
import { EVENT_HEADER, writeEvents } from "../../domain/generator/write_events.ts";

/** One file of a bulk. */
export interface BulkFile {
  readonly source: RowSource;
  /** Events that it takes from there. */
  readonly count: number;
  /** Told how many events were written, in how many bytes of text. */
  readonly onWritten: (rows: number, bytes: number) => void;
}

/** The text of a file, piece by piece. */
export function* soundChunks({ source, count, onWritten }: BulkFile): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  if (count === 0) yield encoder.encode(EVENT_HEADER);
  let header = EVENT_HEADER;
  for (let left = count; left > 0;) {
    const rows = source.take(left);
    const chunk = encoder.encode(header + writeEvents(rows));
    header = "";
    yield chunk;
    left -= rows.length;
    onWritten(rows.length, chunk.length);
  }
}

/**
 * The same with planted faults.
 *
 * @param options `isLast` puts into the file all that was to be written still later, and `landTruth` is
 * given the ground truth before the last piece, so that it is there before the file.
 */
export async function* faultyChunks(
  { source, count, onWritten }: BulkFile,
  { planter, name, fault, isLast, landTruth }: {
    planter: FaultPlanter;
    name: string;
    fault: FileFault;
    isLast: boolean;
    landTruth: (lines: string) => Promise<void>;
  },
): AsyncGenerator<Uint8Array> {
  const text = new FaultyText(name, fault.drift);
  let before = text.header();
  if (count === 0) yield before;
  for (let left = count; left > 0;) {
    const rows = source.take(left);
    left -= rows.length;
    const records = planter.plant(rows, Date.parse(rows.at(-1)![EVENT_TIME]!));
    if (left === 0 && isLast) records.push(...planter.flush());
    const chunk = Buffer.concat([before, text.write(records)]);
    before = Buffer.alloc(0);
    const truth = [...fault.truth, ...text.truth];
    if (left === 0 && truth.length > 0) await landTruth(writeTruth(truth));
    yield chunk;
    onWritten(rows.length, chunk.length);
  }
}

const EVENT_TIME = 1;
