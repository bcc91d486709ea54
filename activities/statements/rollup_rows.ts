import type { Codes } from "../../domain/accepted_records.ts";
import type { Contract } from "../../domain/contract.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import { BinaryCells, BinaryRows } from "./binary_rows.ts";
import { inHundredths } from "./in_hundredths.ts";
import { codesOf } from "./values_of.ts";

type Batch = Pick<ChunkBatch, "accepted">;

/** What the events of a batch add to one of the rollups: the same as `appendDeltas` makes of events that are there. */
export interface RollupRows {
  /** Starts of the minutes or hours, milliseconds since 1970, ascending. */
  readonly periods: readonly number[];
  /** The `copy` of such rows into the rollup's base, or of deltas. */
  copyInto(part: "base" | "delta"): string;
  /**
   * The groups of some periods, in COPY's binary format; nothing when there are none.
   *
   * @param isWanted Tells them by their start.
   */
  piecesOf(isWanted: (period: number) => boolean): Uint8Array[];
}

interface MinuteSum {
  /** A row of the group. */
  row: number;
  events: number;
  quantity: number;
  /** Hundredths. */
  revenue: number;
}

/** Rows of the rollup by minute. */
export function minuteRows(contract: Contract, batch: Batch): RollupRows {
  const { column, types, currencies, quantityOf, centsOf } = rolledUp(contract, batch);
  const [categories, devices] = [column("category"), column("device")];
  const minutes = periodsOf(batch, MINUTE_MS);
  const groupOf = groups([minutes, types, devices, currencies, categories]);
  const sums: MinuteSum[] = [];
  const open = new Map<number, MinuteSum>();
  for (let row = 0; row < minutes.codeOf.length; row++) {
    const quantity = quantityOf(row);
    const revenue = centsOf(row) * quantity;
    const group = groupOf(row);
    const sum = open.get(group);
    if (sum === undefined || !Number.isSafeInteger(sum.revenue + revenue)) {
      const begun = { row, events: 1, quantity, revenue };
      open.set(group, begun);
      sums.push(begun);
    } else {
      sum.events++;
      sum.quantity += quantity;
      sum.revenue += revenue;
    }
  }
  const columns = "minute, event_type, category, device, currency, events, quantity, revenue";
  const putters = [types, categories, devices, currencies].map(cellPutter);
  return rollupRows("minute_rollup", columns, {
    sums,
    periods: minutes,
    put: (rows, { row, events, quantity, revenue }) => {
      for (const putCell of putters) putCell(rows, row);
      rows.putBigint(events);
      rows.putBigint(quantity);
      rows.putHundredths(revenue);
    },
  });
}

type EventType = "product_view" | "add_to_cart" | "remove_from_cart" | "purchase";
type ProductSum = Record<EventType | "row" | "quantity" | "revenue", number>;

/** Rows of the rollup by hour and product. */
export function productRows(contract: Contract, batch: Batch): RollupRows {
  const { column, types, currencies, quantityOf, centsOf } = rolledUp(contract, batch);
  const products = column("product_id");
  const hours = periodsOf(batch, HOUR_MS);
  const groupOf = groups([hours, currencies, products]);
  const typeOf = valueReader(types);
  const sums: ProductSum[] = [];
  const open = new Map<number, ProductSum>();
  for (let row = 0; row < hours.codeOf.length; row++) {
    const type = typeOf(row) as EventType;
    const quantity = type === "purchase" ? quantityOf(row) : 0;
    const revenue = quantity === 0 ? 0 : centsOf(row) * quantity;
    const group = groupOf(row);
    let sum = open.get(group);
    if (sum === undefined || !Number.isSafeInteger(sum.revenue + revenue)) {
      sum = { ...NO_EVENTS, row };
      open.set(group, sum);
      sums.push(sum);
    }
    sum[type]++;
    sum.quantity += quantity;
    sum.revenue += revenue;
  }
  const columns =
    "hour, product_id, currency, views, carts, removals, purchases, quantity, revenue";
  const putters = [products, currencies].map(cellPutter);
  return rollupRows("product_rollup", columns, {
    sums,
    periods: hours,
    put: (rows, sum) => {
      for (const putCell of putters) putCell(rows, sum.row);
      rows.putBigint(sum.product_view);
      rows.putBigint(sum.add_to_cart);
      rows.putBigint(sum.remove_from_cart);
      rows.putBigint(sum.purchase);
      rows.putBigint(sum.quantity);
      rows.putHundredths(sum.revenue);
    },
  });
}

function rollupRows<Sum extends { row: number }>(
  rollup: string,
  columns: string,
  { sums, periods, put }: {
    sums: readonly Sum[];
    periods: Codes<number>;
    /** Puts the rest of a row, behind its period. */
    put: (rows: BinaryRows, sum: Sum) => void;
  },
): RollupRows {
  return {
    periods: periods.values.toSorted((a, b) => a - b),
    copyInto: (part) => `copy shop.${rollup}_${part} (${columns}) from stdin (format binary)`,
    piecesOf(isWanted) {
      const isWantedCode = periods.values.map(isWanted);
      const wanted = isWantedCode.includes(false)
        ? sums.filter(({ row }) => isWantedCode[periods.codeOf[row]!])
        : sums;
      if (wanted.length === 0) return [];
      const rows = new BinaryRows(columns.split(",").length);
      for (const sum of wanted) {
        rows.beginRow();
        rows.putTimestamp(periods.values[periods.codeOf[sum.row]!]! * 1000);
        put(rows, sum);
      }
      return rows.end();
    },
  };
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

const NO_EVENTS: ProductSum = {
  row: 0,
  product_view: 0,
  add_to_cart: 0,
  remove_from_cart: 0,
  purchase: 0,
  quantity: 0,
  revenue: 0,
};

/** Makes the function that numbers the groups of rows which are equal in some columns. */
function groups(columns: readonly Codes<unknown>[]): (row: number) => number {
  return (row) => {
    let group = 0;
    for (const { values, codeOf } of columns) group = group * values.length + codeOf[row]!;
    return group;
  };
}

/** Starts of the periods that the events of a batch happened in, milliseconds since 1970. */
function periodsOf({ accepted: { eventMicros } }: Batch, length: number): Codes<number> {
  const codes = new Map<number, number>();
  const codeOf = Int32Array.from(eventMicros, (micros) => {
    const period = Math.floor(micros / 1000 / length);
    let code = codes.get(period);
    if (code === undefined) codes.set(period, code = codes.size);
    return code;
  });
  return { codeOf, values: [...codes.keys()].map((period) => period * length) };
}

/** The columns that both rollups are made from. */
function rolledUp(contract: Contract, batch: Batch) {
  const column = (name: string) => codesOf(contract, batch, name);
  const [quantities, prices] = [column("quantity"), column("price")];
  const counts = quantities.values.map(Number);
  const cents = prices.values.map(inHundredths);
  return {
    column,
    types: column("event_type"),
    currencies: column("currency"),
    quantityOf: (row: number) => counts[quantities.codeOf[row]!]!,
    centsOf: (row: number) => cents[prices.codeOf[row]!]!,
  };
}

function valueReader<Value>({ codeOf, values }: Codes<Value>): (row: number) => Value {
  return (row) => values[codeOf[row]!]!;
}

/** Makes the function that puts the value that a record has in a column of texts. */
function cellPutter(
  { codeOf, values }: Codes<string>,
): (rows: BinaryRows, row: number) => void {
  const cells = new BinaryCells();
  for (const value of values) {
    cells.putText(value);
    cells.endCell();
  }
  return (rows, row) => rows.putCell(cells, codeOf[row]!);
}
