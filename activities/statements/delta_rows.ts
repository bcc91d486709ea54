import type { Contract } from "../../domain/contract.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import { codesOf } from "./codes_of.ts";
import { copyCell, copyPieces } from "./copy_text.ts";
import { valuesOf } from "./values_of.ts";

/** The `copy` for {@linkcode minuteDeltaRows}. */
export const COPY_MINUTE_DELTAS = `copy shop.minute_rollup_delta
  (minute, event_type, category, device, currency, events, quantity, revenue) from stdin`;

/** The `copy` for {@linkcode productDeltaRows}. */
export const COPY_PRODUCT_DELTAS = `copy shop.product_rollup_delta
  (hour, product_id, currency, views, carts, removals, purchases, quantity, revenue) from stdin`;

type Batch = Pick<ChunkBatch, "accepted">;

interface MinuteSum {
  /** A row of the group. */
  row: number;
  events: number;
  quantity: number;
  /** Hundredths. */
  revenue: number;
}

/**
 * What the events of a batch change in the rollup by minute, in COPY's text format: the same as `appendDeltas` makes of
 * events that are there.
 */
export function minuteDeltaRows(contract: Contract, batch: Batch): Uint8Array[] {
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
  return copyPieces(sums.length, (index) => {
    const { row, events, quantity, revenue } = sums[index]!;
    return `${times[row]!.slice(0, "2026-01-31T09:30".length)}Z\t${types[row]}\t` +
      `${copyCell(categories[row]!)}\t${devices[row]}\t${currencies[row]}\t` +
      `${events}\t${quantity}\t${fromCents(revenue)}\n`;
  });
}

type EventType = "product_view" | "add_to_cart" | "remove_from_cart" | "purchase";
type ProductSum = Record<EventType | "row" | "quantity" | "revenue", number>;

/** The same for the rollup by hour and product. */
export function productDeltaRows(contract: Contract, batch: Batch): Uint8Array[] {
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
  return copyPieces(sums.length, (index) => {
    const sum = sums[index]!;
    return `${times[sum.row]!.slice(0, "2026-01-31T09".length)}:00Z\t` +
      `${copyCell(products[sum.row]!)}\t${currencies[sum.row]}\t` +
      `${sum.product_view}\t${sum.add_to_cart}\t${sum.remove_from_cart}\t${sum.purchase}\t` +
      `${sum.quantity}\t${fromCents(sum.revenue)}\n`;
  });
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
