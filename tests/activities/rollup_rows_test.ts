import assert from "node:assert/strict";
import {
  minuteRows,
  productRows,
  type RollupRows,
} from "../../activities/statements/rollup_rows.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { readText } from "../domain/_shop_event.ts";
import { event, line, type TestEvent } from "./_events.ts";

const HEADER_BYTES = 19;
const EPOCH_MICROS = 946_684_800_000_000n;

/** The cells of rows in COPY's binary format. */
function cellsOf(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer>[][] {
  const bytes = new Uint8Array(pieces.flatMap((piece) => [...piece]));
  const view = new DataView(bytes.buffer);
  const rows: Uint8Array<ArrayBuffer>[][] = [];
  for (let at = HEADER_BYTES; view.getInt16(at) >= 0;) {
    const cells = Array.from({ length: view.getInt16(at) }, () => new Uint8Array());
    at += 2;
    for (let cell = 0; cell < cells.length; cell++) {
      const start = at + 4;
      at = start + view.getInt32(at);
      cells[cell] = bytes.slice(start, at);
    }
    rows.push(cells);
  }
  return rows;
}

const text = (cell: Uint8Array<ArrayBuffer>) => new TextDecoder().decode(cell);
const bigint = (cell: Uint8Array<ArrayBuffer>) => new DataView(cell.buffer).getBigInt64(0);
const period = (cell: Uint8Array<ArrayBuffer>) => Number((bigint(cell) + EPOCH_MICROS) / 1000n);

/** A numeric with two decimals, in hundredths. */
function hundredths(cell: Uint8Array<ArrayBuffer>): bigint {
  const view = new DataView(cell.buffer);
  let value = 0n;
  for (let at = 8; at < cell.length; at += 2) value = value * 10_000n + BigInt(view.getInt16(at));
  return value / 100n;
}

interface Row {
  /** Period and texts. */
  group: string;
  /** Counts and quantity. */
  counts: bigint[];
  revenue: bigint;
}

function rowsOf(rollup: RollupRows, texts: number, isWanted = (_: number) => true): Row[] {
  return cellsOf(rollup.piecesOf(isWanted)).map((cells) => ({
    group: `${[period(cells[0]!), ...cells.slice(1, 1 + texts).map(text)]}`,
    counts: cells.slice(1 + texts, -1).map(bigint),
    revenue: hundredths(cells.at(-1)!),
  }));
}

/** One row a group, in the order of groups. */
function added(rows: readonly Row[]): Row[] {
  const groups = new Map<string, Row>();
  for (const { group, counts, revenue } of rows) {
    const sum = groups.get(group) ?? { group, counts: counts.map(() => 0n), revenue: 0n };
    groups.set(group, {
      group,
      counts: sum.counts.map((count, index) => count + counts[index]!),
      revenue: sum.revenue + revenue,
    });
  }
  return [...groups.values()].toSorted((a, b) => a.group < b.group ? -1 : 1);
}

function startOf({ event_time: time }: TestEvent, length: number): number {
  return Math.floor(Date.parse(time!) / length) * length;
}

function revenueOf({ price, quantity }: TestEvent): bigint {
  return BigInt(price!.replace(".", "")) * BigInt(quantity!);
}

function byMinute(event: TestEvent): Row {
  const { event_type, category, device, currency, quantity } = event;
  return {
    group: `${[startOf(event, 60_000), event_type, category, device, currency]}`,
    counts: [1n, BigInt(quantity!)],
    revenue: revenueOf(event),
  };
}

function byProduct(event: TestEvent): Row {
  const { event_type, product_id, currency, quantity } = event;
  const isPurchase = event_type === "purchase";
  const types = ["product_view", "add_to_cart", "remove_from_cart", "purchase"];
  return {
    group: `${[startOf(event, 3_600_000), product_id, currency]}`,
    counts: [
      ...types.map((type) => type === event_type ? 1n : 0n),
      isPurchase ? BigInt(quantity!) : 0n,
    ],
    revenue: isPurchase ? revenueOf(event) : 0n,
  };
}

function batchOf(events: readonly TestEvent[]) {
  const batch = readText(events.map(line).join(""));
  assert.equal(batch.accepted.lines.length, events.length);
  return batch;
}

const ORDER = "019c0000-0000-7000-8000-00000000000a";

/** Events of some days, in no order, of many products, categories, devices and currencies. */
const MIXED = Array.from({ length: 6000 }, (_, n) => {
  const type = ["product_view", "add_to_cart", "remove_from_cart", "purchase"][n * 7 % 4]!;
  return event(n, {
    event_time: new Date(Date.UTC(2026, 0, 5) + n * 7919 % 1009 * 59_999).toISOString(),
    event_type: type,
    order_id: type === "purchase" ? ORDER : "",
    quantity: type === "product_view" ? "1" : `${n % 13 + 1}`,
    product_id: `P-${n * n % 211}`,
    category: ["", "home", "home.kitchen", "Küche"][n % 4]!,
    device: ["desktop", "mobile", "tablet"][n % 3]!,
    currency: ["EUR", "USD", "JPY"][n % 5 % 3]!,
  });
});

Deno.test({
  name: "minuteRows() and productRows() sum up what the events say, one row a group",
  permissions: "none",
  fn() {
    const batch = batchOf(MIXED);
    const minutes = minuteRows(SHOP_EVENTS, batch);
    const found = rowsOf(minutes, 4);
    const expected = added(MIXED.map(byMinute));
    assert.equal(found.length, expected.length);
    assert.deepEqual(added(found), expected);
    const starts = new Set(MIXED.map((event) => startOf(event, 60_000)));
    assert.deepEqual(minutes.periods, [...starts].toSorted((a, b) => a - b));

    const products = rowsOf(productRows(SHOP_EVENTS, batch), 2);
    const expectedProducts = added(MIXED.map(byProduct));
    assert.equal(products.length, expectedProducts.length);
    assert.deepEqual(added(products), expectedProducts);
  },
});

Deno.test({
  name: "RollupRows.piecesOf() has the groups of the periods that are wanted, and no others",
  permissions: "none",
  fn() {
    const rollup = minuteRows(SHOP_EVENTS, batchOf(MIXED));
    const isOdd = (period: number) => period / 60_000 % 2 === 1;
    const wanted = MIXED.filter((event) => isOdd(startOf(event, 60_000)));
    assert.ok(wanted.length > 0 && wanted.length < MIXED.length);
    assert.deepEqual(added(rowsOf(rollup, 4, isOdd)), added(wanted.map(byMinute)));
    assert.deepEqual(
      added([...rowsOf(rollup, 4, isOdd), ...rowsOf(rollup, 4, (period) => !isOdd(period))]),
      added(MIXED.map(byMinute)),
    );
    assert.deepEqual(rollup.piecesOf(() => false), []);
    const none = minuteRows(SHOP_EVENTS, batchOf([]));
    assert.deepEqual([none.periods, none.piecesOf(() => true)], [[], []]);
  },
});

Deno.test({
  name: "minuteRows() and productRows() begin another row where a revenue would no longer be exact",
  permissions: "none",
  fn() {
    const dear = Array.from({ length: 60 }, (_, n) =>
      event(0, {
        ...{ product_id: `P-${n % 2}`, quantity: "999", price: `99999999${10 + n}.${11 + n}` },
        ...{ event_type: "purchase", order_id: ORDER },
      }));
    const batch = batchOf(dear);
    for (
      const { rollup, texts, expected, groups } of [
        { rollup: minuteRows, texts: 4, expected: dear.map(byMinute), groups: 1 },
        { rollup: productRows, texts: 2, expected: dear.map(byProduct), groups: 2 },
      ]
    ) {
      const found = rowsOf(rollup(SHOP_EVENTS, batch), texts);
      assert.ok(found.every(({ revenue }) => revenue <= BigInt(Number.MAX_SAFE_INTEGER)));
      assert.deepEqual(added(found), added(expected));
      assert.equal(added(found).length, groups);
      // Eight such revenues or nine are a safe integer.
      assert.ok(found.length >= 7 && found.length <= 8, `${found.length} rows`);
    }
  },
});
