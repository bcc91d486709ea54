import assert from "node:assert/strict";
import { cells, csvLine, NAMES, PURCHASE, readText, VIEW } from "./_shop_event.ts";

const HEADER_BYTES = csvLine(NAMES).length;
const purchase = csvLine(cells(PURCHASE));
const view = csvLine(cells(VIEW));

/** `line: first code` of each reject. */
const codes = (text: string, header?: readonly string[]) =>
  readText(text, header).rejects.map(({ line, faults }) => `${line}: ${faults[0]!.code}`);

Deno.test({
  name: "readChunk() gives valid records as column arrays",
  permissions: "none",
  fn() {
    const batch = readText(purchase + "\n" + view);
    assert.equal(batch.records, 2);
    assert.deepEqual(batch.rejects, []);
    const { accepted } = batch;
    assert.deepEqual([...accepted.lines], [2, 4]);
    assert.deepEqual([...accepted.byteStarts], [HEADER_BYTES, HEADER_BYTES + purchase.length + 1]);
    assert.deepEqual([...accepted.byteLengths], [purchase.length - 1, view.length - 1]);
    const time = Date.UTC(2026, 0, 30, 8, 15, 30, 250) * 1000;
    assert.deepEqual([...accepted.eventMicros], [time, time]);
    assert.equal(accepted.extras.size, 0);
    assert.deepEqual(accepted.columns.map((column) => column.at(0)), cells(PURCHASE));
    assert.deepEqual(accepted.columns[NAMES.indexOf("order_id")]!.toArray(), [
      PURCHASE.order_id,
      null,
    ]);
  },
});

Deno.test({
  name: "readChunk() of no bytes has no records",
  permissions: "none",
  fn() {
    assert.equal(readText("").records, 0);
  },
});

Deno.test({
  name: "readChunk() rejects only the bad records, each with its place",
  permissions: "none",
  fn() {
    const bad = csvLine(cells({ ...VIEW, price: "free", country: "Germany" }));
    const { accepted, rejects, records } = readText(view + bad + purchase);
    assert.equal(records, 3);
    assert.deepEqual([...accepted.lines], [2, 4]);
    assert.deepEqual(rejects, [{
      line: 3,
      byteStart: HEADER_BYTES + view.length,
      byteLength: bad.length - 1,
      faults: [
        {
          code: "invalid_number",
          column: "price",
          expected: "a number with at most 2 decimals, after a point",
        },
        { code: "unknown_value", column: "country", expected: "an ISO 3166-1 alpha-2 code" },
      ],
      eventId: VIEW.event_id!,
    }]);
  },
});

Deno.test({
  name: "readChunk() tells which event a bad record names, where it can be told",
  permissions: "none",
  fn() {
    const upper = VIEW.event_id!.toUpperCase();
    const lines: [string, string | undefined][] = [
      [csvLine(cells({ ...VIEW, event_id: upper, price: "free" })), upper],
      [csvLine(cells({ ...VIEW, event_id: "7" })), undefined],
      [`${VIEW.event_id},cut\n`, undefined],
      [`"${VIEW.event_id}\n`, undefined],
    ];
    const { rejects } = readText(lines.map(([text]) => text).join(""));
    assert.deepEqual(rejects.map(({ eventId }) => eventId), lines.map(([_, id]) => id));
  },
});

Deno.test({
  name: "readChunk() names what is no record",
  permissions: "none",
  fn() {
    assert.deepEqual(codes("a,b\n" + view + "nul\0\n" + csvLine(NAMES) + 'x,"open\n' + view), [
      "2: wrong_column_count",
      "4: nul_byte",
      "5: repeated_header",
      "6: broken_quote",
    ]);
    assert.deepEqual(codes("\ufeff" + csvLine(NAMES)), ["2: repeated_header"]);
  },
});

Deno.test({
  name: "readChunk() takes a value that spans lines",
  permissions: "none",
  fn() {
    const spanning = csvLine(cells({ ...VIEW, product_name: 'Oak "chair"\nlarge' }));
    const { accepted, records } = readText(spanning + view);
    assert.equal(records, 2);
    assert.deepEqual([...accepted.lines], [2, 4]);
    assert.equal(accepted.columns[NAMES.indexOf("product_name")]!.at(0), 'Oak "chair"\nlarge');
  },
});

Deno.test({
  name: "readChunk() gives back the records that a stray quote swallowed",
  permissions: "none",
  fn() {
    const opening = view.replace("Oak chair", '"5 inch oak chair');
    const closing = view.replace("Oak chair", 'Chair 5"');
    const { accepted, rejects, records } = readText(opening + purchase + closing);
    assert.deepEqual(rejects, []);
    assert.equal(records, 3);
    assert.deepEqual([...accepted.lines], [2, 3, 4]);
    assert.deepEqual(accepted.columns[NAMES.indexOf("product_name")]!.toArray(), [
      '"5 inch oak chair',
      "Oak chair",
      'Chair 5"',
    ]);
    const ends = Array.from(
      accepted.byteStarts,
      (start, row) => start + accepted.byteLengths.at(row),
    );
    assert.deepEqual(ends.map((end) => end + 1).slice(0, 2), [...accepted.byteStarts].slice(1));
  },
});

Deno.test({
  name: "readChunk() keeps a bad spanning record one reject when no piece is valid",
  permissions: "none",
  fn() {
    const bad = csvLine(cells({ ...VIEW, product_name: "Oak\nchair\nlarge", price: "free" }));
    const { rejects, records, accepted } = readText(bad + view);
    assert.equal(records, 2);
    assert.deepEqual([...accepted.lines], [5]);
    assert.deepEqual(
      rejects.map(({ line, byteLength, faults }) => ({ line, byteLength, faults })),
      [
        {
          line: 2,
          byteLength: bad.length - 1,
          faults: [{
            code: "invalid_number",
            column: "price",
            expected: "a number with at most 2 decimals, after a point",
          }],
        },
      ],
    );
  },
});

Deno.test({
  name: "readChunk() keeps unknown columns that are filled as JSON",
  permissions: "none",
  fn() {
    const header = ["Coupon", ...NAMES, "__proto__", ""];
    const line = (first: string, second: string, third: string) =>
      csvLine([first, ...cells(VIEW), second, third]);
    const { accepted } = readText(
      line('10 % "off"', "x", "") + line("", "", "") + line("", "", "😀\u0001"),
      header,
    );
    assert.deepEqual([...accepted.extras], [
      [0, String.raw`{"Coupon":"10 % \"off\"","__proto__":"x"}`],
      [2, `{"column_18":"😀\\u0001"}`],
    ]);
    assert.equal(
      new Set(Array.from(accepted.lines, (_, row) => accepted.contentHashes.at(row))).size,
      1,
    );
  },
});

Deno.test({
  name: "readChunk() reads columns in the header's order",
  permissions: "none",
  fn() {
    const { accepted, rejects } = readText(
      csvLine(cells(PURCHASE).toReversed()),
      NAMES.toReversed(),
    );
    assert.deepEqual(rejects, []);
    assert.deepEqual(accepted.columns.map((column) => column.at(0)), cells(PURCHASE));
  },
});

Deno.test({
  name: "readChunk() accounts for every record: accepted or rejected, in order",
  permissions: "none",
  fn() {
    const lines = Array.from({ length: 500 }, (_, index) => index % 7 === 0 ? "bad\n" : view);
    const { accepted, rejects, records } = readText(lines.join(""));
    assert.equal(records, 500);
    const all = [...accepted.lines, ...rejects.map(({ line }) => line)].toSorted((a, b) => a - b);
    assert.deepEqual(all, lines.map((_, index) => index + 2));
    assert.deepEqual([...accepted.lines], [...accepted.lines].toSorted((a, b) => a - b));
  },
});
