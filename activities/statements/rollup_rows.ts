import type { Contract } from "../../domain/contract.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import { codesOf } from "./codes_of.ts";
import { copyCell, copyPieces } from "./copy_text.ts";
import { valuesOf } from "./values_of.ts";

type Batch = Pick<ChunkBatch, "accepted">;

/** What the events of a batch add to one of the rollups: the same as `appendDeltas` makes of events that are there. */
export interface RollupRows {
  /** Starts of the minutes or hours, milliseconds since 1970, ascending. */
  readonly periods: readonly number[];
  /** The `copy` of such rows into the rollup's base, or of deltas. */
  copyInto(part: "base" | "delta"): string;
  /**
   * The groups of some periods, in COPY's text format.
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
  const { column, times, types, currencies, quantities, prices } = rolledUp(contract, batch);
  const [categories, devices] = [column("category"), column("device")];
  const minutes = batch.accepted.eventTimes.map((time) => Math.floor(time / MINUTE_MS));
  const groupOf = groups([minutes, types, devices, currencies, categories]);
  const sums: MinuteSum[] = [];
  const open = new Map<number, MinuteSum>();
  for (let row = 0; row < times.length; row++) {
    const quantity = Number(quantities[row]);
    const revenue = inCents(prices[row]!) * quantity;
    const sum = open.get(groupOf(row));
    if (sum === undefined || !Number.isSafeInteger(sum.revenue + revenue)) {
      const begun = { row, events: 1, quantity, revenue };
      open.set(groupOf(row), begun);
      sums.push(begun);
    } else {
      sum.events++;
      sum.quantity += quantity;
      sum.revenue += revenue;
    }
  }
  const columns = "minute, event_type, category, device, currency, events, quantity, revenue";
  return rollupRows("minute_rollup", columns, {
    sums,
    periodOf: ({ row }) => minutes[row]! * MINUTE_MS,
    text: ({ row, events, quantity, revenue }) =>
      `${times[row]!.slice(0, "2026-01-31T09:30".length)}Z\t${types[row]}\t` +
      `${copyCell(categories[row]!)}\t${devices[row]}\t${currencies[row]}\t` +
      `${events}\t${quantity}\t${fromCents(revenue)}\n`,
  });
}

type EventType = "product_view" | "add_to_cart" | "remove_from_cart" | "purchase";
type ProductSum = Record<EventType | "row" | "quantity" | "revenue", number>;

/** Rows of the rollup by hour and product. */
export function productRows(contract: Contract, batch: Batch): RollupRows {
  const { column, times, types, currencies, quantities, prices } = rolledUp(contract, batch);
  const products = column("product_id");
  const hours = batch.accepted.eventTimes.map((time) => Math.floor(time / HOUR_MS));
  const groupOf = groups([hours, currencies, products]);
  const sums: ProductSum[] = [];
  const open = new Map<number, ProductSum>();
  for (let row = 0; row < times.length; row++) {
    const type = types[row] as EventType;
    const quantity = type === "purchase" ? Number(quantities[row]) : 0;
    const revenue = quantity === 0 ? 0 : inCents(prices[row]!) * quantity;
    let sum = open.get(groupOf(row));
    if (sum === undefined || !Number.isSafeInteger(sum.revenue + revenue)) {
      sum = { ...NO_EVENTS, row };
      open.set(groupOf(row), sum);
      sums.push(sum);
    }
    sum[type]++;
    sum.quantity += quantity;
    sum.revenue += revenue;
  }
  const columns =
    "hour, product_id, currency, views, carts, removals, purchases, quantity, revenue";
  return rollupRows("product_rollup", columns, {
    sums,
    periodOf: ({ row }) => hours[row]! * HOUR_MS,
    text: (sum) =>
      `${times[sum.row]!.slice(0, "2026-01-31T09".length)}:00Z\t` +
      `${copyCell(products[sum.row]!)}\t${currencies[sum.row]}\t` +
      `${sum.product_view}\t${sum.add_to_cart}\t${sum.remove_from_cart}\t${sum.purchase}\t` +
      `${sum.quantity}\t${fromCents(sum.revenue)}\n`,
  });
}

function rollupRows<Sum>(
  rollup: string,
  columns: string,
  { sums, periodOf, text }: {
    sums: readonly Sum[];
    periodOf: (sum: Sum) => number;
    text: (sum: Sum) => string;
  },
): RollupRows {
  return {
    periods: [...new Set(sums.map(periodOf))].sort((a, b) => a - b),
    copyInto: (part) => `copy shop.${rollup}_${part} (${columns}) from stdin`,
    piecesOf(isWanted) {
      const wanted = sums.filter((sum) => isWanted(periodOf(sum)));
      return copyPieces(wanted.length, (index) => text(wanted[index]!));
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

/**
 * Makes the function that numbers the groups of rows which are equal in some columns: to find a group by a number takes
 * a fraction of the time that its texts take.
 */
function groups(columns: readonly (readonly (string | number)[])[]): (row: number) => number {
  const coded = columns.map(codesOf);
  return (row) => {
    let group = 0;
    for (const { size, codeOf } of coded) group = group * size + codeOf[row]!;
    return group;
  };
}

/** The columns that the rollups are made from. */
function rolledUp(contract: Contract, batch: Batch) {
  const column = (name: string) => valuesOf(contract, batch, name);
  return {
    column,
    times: column("event_time"),
    types: column("event_type"),
    currencies: column("currency"),
    quantities: column("quantity"),
    prices: column("price"),
  };
}

/** Of a canonical price, with at most 10 digits before the point: exact. */
function inCents(price: string): number {
  return Math.round(Number(price) * 100);
}

function fromCents(cents: number): string {
  const rest = cents % 100;
  return `${(cents - rest) / 100}.${String(rest).padStart(2, "0")}`;
}
