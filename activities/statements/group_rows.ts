import type { Codes } from "../../domain/accepted_records.ts";

/**
 * Groups the rows that are equal in some columns.
 *
 * @param columns At least one. Their numbers of values, multiplied, are a safe integer: so it is for those of the rollups,
 *   where only the period and one more have many, although chunks share what they have seen.
 * @returns The number of each row's group: groups count from 0, in the order of their first rows.
 */
export function groupRows(columns: readonly Codes<unknown>[]): Int32Array {
  const groupOf = new Int32Array(columns[0]!.codeOf.length);
  const { keyOf, slots, shift } = scratchFor(groupOf.length);
  combine(columns, keyOf);
  let groups = 0;
  for (let row = 0; row < groupOf.length; row++) {
    const key = keyOf[row]!;
    let slot = hashOf(key) >>> shift;
    while (slots[slot] !== FREE && keyOf[slots[slot]! - 1] !== key) {
      slot = slot + 1 === slots.length ? 0 : slot + 1;
    }
    if (slots[slot] === FREE) {
      slots[slot] = row + 1;
      groupOf[row] = groups++;
    } else {
      groupOf[row] = groupOf[slots[slot]! - 1]!;
    }
  }
  return groupOf;
}

/** Makes one number of the codes of each row: another one for each combination. */
function combine(columns: readonly Codes<unknown>[], keyOf: Float64Array): void {
  keyOf.fill(0);
  for (const { codeOf, values } of columns) {
    const count = values.length;
    for (let row = 0; row < keyOf.length; row++) keyOf[row] = keyOf[row]! * count + codeOf[row]!;
  }
}

/** Multiplies, so that each bit of a key has a say in the upper ones of its hash. */
function hashOf(key: number): number {
  return Math.imul(key | 0, LOW_FACTOR) + Math.imul(key / TWO_32 | 0, HIGH_FACTOR);
}

/** Odd, and others in each process: nobody can write a file of which all groups meet in one slot. */
const factors = crypto.getRandomValues(new Int32Array(2));
const LOW_FACTOR = factors[0]! | 1;
const HIGH_FACTOR = factors[1]! | 1;
const TWO_32 = 0x1_0000_0000;

const FREE = 0;

interface Scratch {
  /** By row. */
  keyOf: Float64Array;
  /** The first row of a group and 1, by the upper bits of its key's hash. At least half of them stay free. */
  slots: Int32Array;
  /** Leaves as many bits of a hash as number the slots. */
  shift: number;
}

/** Kept from chunk to chunk: it would be half a megabyte of garbage for each. */
let memory = { keyOf: new Float64Array(), slots: new Int32Array() };

function scratchFor(rows: number): Scratch {
  const shift = Math.clz32(rows | 1) - 1;
  const size = 2 ** (32 - shift);
  if (memory.slots.length < size) {
    memory = { keyOf: new Float64Array(size), slots: new Int32Array(size) };
  }
  return {
    keyOf: memory.keyOf.subarray(0, rows),
    slots: memory.slots.subarray(0, size).fill(FREE),
    shift,
  };
}
