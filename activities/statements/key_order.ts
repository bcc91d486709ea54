import { Buffer } from "node:buffer";
import { type ColumnValues, PlacedColumn } from "../../domain/accepted_records.ts";
import { HEX_DIGIT } from "./hex_digits.ts";

/** Of an id so many digits are compared at first, of which 8 make an upper half. */
const DIGITS = 12;
const UPPER_DIGITS = 8;
const BITS_PER_DIGIT = 4;
/** What they leave of 64 bits. */
const SPARE_BITS = 16;

/**
 * The one order in which keys are claimed, so that two loads with events in common wait for each other instead of
 * deadlocking: that of their ids, and of the file where one comes twice.
 *
 * Numbers of 64 bits are sorted without a call for each pair: the first digits of an id, and behind them its row.
 *
 * @param ids UUIDs in lower case.
 * @param rows Which of them, ascending.
 * @returns The same rows, in that order.
 */
export function inKeyOrder(ids: ColumnValues, rows: ArrayLike<number>): Int32Array {
  const { length } = rows;
  const order = new Int32Array(length);
  if (length === 0) return order;
  const rowBits = Math.max(SPARE_BITS, 32 - Math.clz32(rows[length - 1]!));
  const numbers = new BigUint64Array(length);
  // The lower half of each comes first, as on every machine that Deno runs on.
  const halves = new Uint32Array(numbers.buffer);
  const digitsOf = digitReader(ids);
  for (let index = 0; index < length; index++) {
    const row = rows[index]!;
    const lower = digitsOf(row, UPPER_DIGITS, DIGITS) >>> (rowBits - SPARE_BITS);
    halves[2 * index] = lower << rowBits | row;
    halves[2 * index + 1] = digitsOf(row, 0, UPPER_DIGITS);
  }
  numbers.sort();
  const rowMask = 2 ** rowBits - 1;
  for (let index = 0; index < length; index++) order[index] = halves[2 * index]! & rowMask;
  const isAlike = (a: number, b: number) =>
    halves[2 * a + 1] === halves[2 * b + 1] &&
    halves[2 * a]! >>> rowBits === halves[2 * b]! >>> rowBits;
  for (let start = 0, end = 1; start < length; start = end++) {
    while (end < length && isAlike(start, end)) end++;
    if (end - start > 1) sortByWholeIds(order.subarray(start, end), ids);
  }
  return order;
}

/** Reads some of the first digits of an id as one number; what stands behind the eighth is a hyphen. */
function digitReader(ids: ColumnValues): (row: number, from: number, to: number) => number {
  const placed = ids instanceof PlacedColumn ? ids : undefined;
  return (row, from, to) => {
    const place = placed?.startOf(row) ?? NOT_PLACED;
    const bytes = place < 0 ? Buffer.from(ids.at(row)!) : placed!.bytes;
    const start = Math.max(0, place) + (from < UPPER_DIGITS ? 0 : 1);
    let number = 0;
    for (let at = start + from; at < start + to; at++) {
      number = number << BITS_PER_DIGIT | HEX_DIGIT[bytes[at]!]!;
    }
    return number;
  };
}

const NOT_PLACED = -1;

function sortByWholeIds(rows: Int32Array, ids: ColumnValues): void {
  const known = new Map(Array.from(rows, (row) => [row, ids.at(row)!]));
  rows.sort((a, b) => {
    const [first, second] = [known.get(a)!, known.get(b)!];
    return first < second ? -1 : first > second ? 1 : a - b;
  });
}
