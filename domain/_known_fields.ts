import { ByteTable } from "./_byte_table.ts";
import type { Contract } from "./contract.ts";
import { ValueTable } from "./_value_table.ts";

/** What is remembered of the fields of a contract, chunk after chunk. */
export class KnownFields {
  /** By column. */
  readonly values: readonly ValueTable[];
  /** What runs of neighbouring fields mean, by delimiter, first column and number of columns. */
  readonly #runs = new Map<string, ByteTable>();

  constructor({ columns }: Contract) {
    this.values = columns.map(({ plain }) => new ValueTable(plain));
  }

  /** Meanings by the bytes of so many neighbouring fields, as the tables of their columns have them. */
  runsOf(delimiter: string, first: number, length: number): ByteTable {
    const key = `${delimiter} ${first} ${length}`;
    let table = this.#runs.get(key);
    if (table === undefined || isFull(table)) this.#runs.set(key, table = new ByteTable(length));
    return table;
  }
}

/** Beyond either, a table begins anew with the next chunk. */
const MAX_ENTRIES = 100_000;
const MAX_BYTES = 4 * 1024 * 1024;

function isFull({ size, byteLength }: { size: number; byteLength: number }): boolean {
  return size > MAX_ENTRIES || byteLength > MAX_BYTES;
}

const knownFields = new WeakMap<Contract, KnownFields>();

/** What this process knows of the fields of a contract; all of it is forgotten together. */
export function knownFieldsOf(contract: Contract): KnownFields {
  let known = knownFields.get(contract);
  if (known === undefined || known.values.some(isFull)) {
    knownFields.set(contract, known = new KnownFields(contract));
  }
  return known;
}
