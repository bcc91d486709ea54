import type { Codes } from "../../domain/accepted_records.ts";
import type { Contract } from "../../domain/contract.ts";
import { freeMemory, Int32List } from "../../domain/number_list.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import { EVENT_TYPES } from "../../domain/shop_events.ts";
import { cellColumn } from "./binary_columns.ts";
import { BinaryRows } from "./binary_rows.ts";
import { groupRows } from "./group_rows.ts";
import { inHundredths } from "./in_hundredths.ts";
import { perValue } from "./per_value.ts";
import { codesOf } from "./values_of.ts";

type Batch = Pick<ChunkBatch, "accepted">;

/**
 * What the events of a batch add to one of the rollups: the same as `appendDeltas` makes of events that are there.
 * Disposing them gives their memory back.
 */
export interface RollupRows extends Disposable {
  /** Starts of the minutes or hours, milliseconds since 1970, ascending. */
  readonly periods: readonly number[];
  /** The `copy` of such rows to where they are only appended, or of deltas. */
  copyInto(part: "bulk" | "delta"): string;
  /**
   * The groups of some periods, in COPY's binary format; nothing when there are none.
   *
   * @param isWanted Tells them by their start.
   */
  piecesOf(isWanted: (period: number) => boolean): Uint8Array[];
}

/** Rows of the rollup by minute. */
export function minuteRows(contract: Contract, batch: Batch): RollupRows {
  const { column, types, currencies, quantityOf, centsOf } = rolledUp(contract, batch);
  const [categories, devices] = [column("category"), column("device")];
  const minutes = periodsOf(batch, MINUTE_MS);
  const groupOf = groupRows([minutes, types, devices, currencies, categories]);
  const sums = new Sums(groupOf.length);
  const events = new Int32Array(groupOf.length);
  for (let row = 0; row < groupOf.length; row++) {
    const quantity = quantityOf(row);
    const sum = sums.add(groupOf[row]!, row, quantity, centsOf(row) * quantity);
    events[sum]!++;
  }
  const columns = "minute, event_type, category, device, currency, events, quantity, revenue";
  return rollupRows("minute_rollup", columns, {
    sums,
    periods: minutes,
    texts: [types, categories, devices, currencies],
    counts: [events],
  });
}

/** Rows of the rollup by hour and product. */
export function productRows(contract: Contract, batch: Batch): RollupRows {
  const { column, types, currencies, quantityOf, centsOf } = rolledUp(contract, batch);
  const products = column("product_id");
  const hours = periodsOf(batch, HOUR_MS);
  const groupOf = groupRows([hours, currencies, products]);
  const sums = new Sums(groupOf.length);
  // As the columns have them.
  const counts = EVENT_TYPES.map(() => new Int32Array(groupOf.length));
  const countsOf = types.values.map((type) => counts[EVENT_TYPES.indexOf(type as EventType)]!);
  const purchases = counts[EVENT_TYPES.indexOf("purchase")]!;
  for (let row = 0; row < groupOf.length; row++) {
    const count = countsOf[types.codeOf[row]!]!;
    const quantity = count === purchases ? quantityOf(row) : 0;
    const revenue = quantity === 0 ? 0 : centsOf(row) * quantity;
    const sum = sums.add(groupOf[row]!, row, quantity, revenue);
    count[sum]!++;
  }
  const columns =
    "hour, product_id, currency, views, carts, removals, purchases, quantity, revenue";
  return rollupRows("product_rollup", columns, {
    sums,
    periods: hours,
    texts: [products, currencies],
    counts,
  });
}

type EventType = typeof EVENT_TYPES[number];

/** Sums by their number: one a group, or several where its revenue would not be exact in one. */
class Sums {
  /** Of each the first row of the batch. */
  readonly rows: Int32List;
  readonly quantities: Float64Array<ArrayBuffer>;
  /** Hundredths. */
  readonly revenues: Float64Array<ArrayBuffer>;
  /** By group the number of its last sum and 1; 0 when there is none. */
  readonly #lastOf: Int32Array<ArrayBuffer>;

  /** @param most So many rows are added at most. */
  constructor(most: number) {
    this.rows = new Int32List(most);
    this.quantities = new Float64Array(most);
    this.revenues = new Float64Array(most);
    this.#lastOf = new Int32Array(most);
  }

  /** Adds a row to its group; returns the number of the sum that it went into. */
  add(group: number, row: number, quantity: number, revenue: number): number {
    let sum = this.#lastOf[group]! - 1;
    if (sum < 0 || !Number.isSafeInteger(this.revenues[sum]! + revenue)) {
      sum = this.rows.length;
      this.rows.push(row);
      this.#lastOf[group] = sum + 1;
    }
    this.quantities[sum]! += quantity;
    this.revenues[sum]! += revenue;
    return sum;
  }

  free(): void {
    this.rows.free();
    for (const memory of [this.quantities, this.revenues, this.#lastOf]) freeMemory(memory);
  }
}

function rollupRows(
  rollup: string,
  columns: string,
  { sums, periods, texts, counts }: {
    sums: Sums;
    periods: Codes<number>;
    /** Behind the period. */
    texts: readonly Codes<string>[];
    /** By number of the sum; they stand behind the texts, and before quantity and revenue. */
    counts: readonly Int32Array<ArrayBuffer>[];
  },
): RollupRows {
  const cells = texts.map((codes) => cellColumn("text", codes));
  return {
    periods: periods.values.toSorted((a, b) => a - b),
    copyInto: (part) => `copy shop.${rollup}_${part} (${columns}) from stdin (format binary)`,
    piecesOf(isWanted) {
      const isWantedCode = periods.values.map(isWanted);
      if (!isWantedCode.includes(true)) return [];
      const rows = new BinaryRows(columns.split(",").length);
      for (let sum = 0; sum < sums.rows.length; sum++) {
        const row = sums.rows.at(sum);
        const period = periods.codeOf[row]!;
        if (!isWantedCode[period]) continue;
        rows.beginRow();
        rows.putTimestamp(periods.values[period]! * 1000);
        rows.putCells(cells, row);
        for (const count of counts) rows.putBigint(count[sum]!);
        rows.putBigint(sums.quantities[sum]!);
        rows.putHundredths(sums.revenues[sum]!);
      }
      return rows.end();
    },
    [Symbol.dispose]() {
      sums.free();
      for (const count of counts) freeMemory(count);
    },
  };
}

const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

/** Starts of the periods that the events of a batch happened in, milliseconds since 1970. */
function periodsOf({ accepted: { eventMicros } }: Batch, length: number): Codes<number> {
  const codes = new Map<number, number>();
  const codeOf = new Int32Array(eventMicros.length);
  const micros = length * 1000;
  let code = 0;
  /** Of the row before: most files are in the order of time. */
  let [start, end] = [0, 0];
  for (let row = 0; row < codeOf.length; row++) {
    const time = eventMicros.at(row);
    if (time < start || time >= end) {
      start = Math.floor(time / micros) * micros;
      end = start + micros;
      code = codes.get(start) ?? codes.size;
      codes.set(start, code);
    }
    codeOf[row] = code;
  }
  return { codeOf, values: Array.from(codes.keys(), (start) => start / 1000) };
}

const countsOf = perValue(
  (): number[] => [],
  (counts, quantity: string) => counts.push(Number(quantity)),
);
const centsOf = perValue(
  (): number[] => [],
  (cents, price: string) => cents.push(inHundredths(price)),
);

/** The columns that both rollups are made from. */
function rolledUp(contract: Contract, batch: Batch) {
  const column = (name: string) => codesOf(contract, batch, name);
  const [quantities, prices] = [column("quantity"), column("price")];
  const counts = countsOf(quantities.values);
  const cents = centsOf(prices.values);
  return {
    column,
    types: column("event_type"),
    currencies: column("currency"),
    quantityOf: (row: number) => counts[quantities.codeOf[row]!]!,
    centsOf: (row: number) => cents[prices.codeOf[row]!]!,
  };
}
