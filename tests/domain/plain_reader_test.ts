import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { keyOf } from "../../domain/_byte_table.ts";
import { contentHash } from "../../domain/content_hash.ts";
import { type Contract, defineContract } from "../../domain/contract.ts";
import { mapHeader } from "../../domain/map_header.ts";
import { PlainReader } from "../../domain/_plain_reader.ts";
import { type CsvDialect, openBytes } from "../../domain/scan_csv.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { epochMicros } from "../../domain/_timestamp.ts";
import { validateRecord } from "../../domain/validate_record.ts";
import { cells, csvLine, DISCOVERED_AT, NAMES, PURCHASE, VIEW } from "./_shop_event.ts";

/** Reads lines, and tells which of them, from 0, were plain. */
function readPlain(
  text: string | Uint8Array,
  header: readonly string[] = NAMES,
  { contract = SHOP_EVENTS, delimiter = "," }: {
    contract?: Contract;
    delimiter?: CsvDialect["delimiter"];
  } = {},
) {
  const mapped = mapHeader(contract, header);
  assert.ok(mapped.ok);
  const dialect = { delimiter, bomBytes: 0 };
  const opened = openBytes(Buffer.from(text), { dialect, byteStart: 1 });
  const reader = new PlainReader(opened, {
    ...{ contract, mapping: mapped.mapping, dialect },
    discoveredAt: DISCOVERED_AT,
  });
  const plain: boolean[] = [];
  while (opened.borders.advance()) plain.push(reader.take(() => null));
  return { accepted: reader.accepted, plain };
}

/** A record as CSV: each field that can do without is quoted all the same, or not. */
const lineOf = (record: Readonly<Record<string, string>>, quoted: boolean) =>
  quoted
    ? cells(record).map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",") + "\n"
    : csvLine(cells(record));

/** Values at and just beyond the borders of every rule. */
const EDGES: Record<string, string[]> = {
  event_id: ["019C1234-5678-7ABC-8DEF-0123456789AB", "019c12345678-7abc-8def-0123456789ab-"],
  event_time: [
    "2026-02-01T12:00:00Z",
    "2026-02-01T12:00:00.000001Z",
    "2026-02-01T13:00:00+01:00",
    "2000-01-01T00:00:00Z",
    "2000-01-01T00:30:00+01:00",
    "1999-12-31T23:30:00-01:00",
    "2024-02-29T23:59:59.999999Z",
    "2023-02-29T00:00:00Z",
    "2024-12-31 23:59:59.120-00:30",
    "2025-01-01t00:00:00z",
    "2026-01-30T08:15:30.Z",
    "2026-01-30T08:15:30.250Z",
    "2026-01-30T08:15:59.123456Z",
    "2026-01-30T08:15:30.1234567Z",
    "2026-01-30T08:15:60Z",
    "2026-01-30T08:15Z",
    "2026-01-30T08:15:3Z",
  ],
  event_type: ["view", "VIEW", "Add_To_Cart", "remove_from_cart", "__proto__", "purchase "],
  user_id: ["", "x".repeat(64), "x".repeat(65), "😀".repeat(64), "😀".repeat(65), "\t", "\u0085"],
  product_name: ["", "é".repeat(300), "é".repeat(301), "a b c d e f g h i\u0001", "\u007f"],
  category: ["", ".", "c".repeat(200), "c".repeat(201)],
  brand: ["", "\r\n", "\u00a0", "\u009f", "b".repeat(101)],
  price: ["0", "0.0", "00.10", "9999999999.99", "10000000000", "1.234", "-0", "1.", ".1", ""],
  currency: ["usd", "Usd", "DEM", "XXX", "ABC", ""],
  quantity: ["0", "1", "01", "1000", "1001", "9999", "10000", "-1", "1.0", ""],
  order_id: ["", "7B1E6F0A-2C3D-4E5F-8A9B-0C1D2E3F4A5B"],
  device: ["desktop", "TABLET", "phone", "tv"],
  country: ["gb", "UK", "XK", "\u212aR"],
};

/** A cell with one character dropped, doubled or replaced. */
const damaged = (cell: string) =>
  fc.tuple(
    fc.nat({ max: cell.length }),
    fc.constantFrom(0, 1),
    fc.oneof(
      fc.constant(""),
      fc.constantFrom(..."0159-+.:TtZz eéA\u0000\n\u007f"),
      fc.string({ unit: "binary", maxLength: 2 }),
    ),
  ).map(([at, drop, put]) => cell.slice(0, at) + put + cell.slice(at + drop));

/** A sound record with a few cells replaced by edges, damaged ones or those of the other kind. */
const records = fc.constantFrom(PURCHASE, VIEW).chain((base) =>
  fc.array(
    fc.constantFrom(...NAMES).chain((name) =>
      fc.oneof(
        fc.constantFrom(...EDGES[name] ?? [base[name]!]),
        damaged(base[name]!),
        fc.constantFrom(PURCHASE[name]!, VIEW[name]!),
      ).map((cell) => [name, cell] as const)
    ),
    { maxLength: 3 },
  ).map((changes) => ({ ...base, ...Object.fromEntries(changes) }))
);

Deno.test({
  name: "PlainReader takes only what zod accepts, with the same values",
  permissions: "none",
  fn() {
    let taken = 0;
    let valid = 0;
    const chunks = fc.array(fc.tuple(records, fc.boolean()), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(chunks, (chunk) => {
        // Each twice: what was found out about a value is used again.
        const rows = [...chunk, ...chunk];
        const text = rows.map(([record, quoted]) => lineOf(record, quoted)).join("");
        const { accepted, plain } = readPlain(text);
        assert.equal(plain.length, rows.length);
        const values = accepted.columns.map((column) => column.toArray());
        let row = 0;
        rows.forEach(([record], index) => {
          const truth = validateRecord(SHOP_EVENTS, cells(record), DISCOVERED_AT);
          if (truth.ok) valid++;
          if (!plain[index]) return;
          taken++;
          assert.deepEqual(truth, { ok: true, values: values.map((column) => column[row]) });
          assert.ok(truth.ok);
          assert.equal(accepted.contentHashes.at(row), contentHash(truth.values));
          assert.equal(accepted.eventMicros.at(row), epochMicros(truth.values[1]!));
          row++;
        });
        assert.equal(accepted.lines.length, row);
        assert.ok(values.every((column) => column.length === row));
      }),
      { numRuns: 2_000 },
    );
    assert.ok(taken > 1_000, `only ${taken} records took the fast way`);
    assert.ok(taken > valid * 0.8, `${taken} of ${valid} valid records took the fast way`);
  },
});

Deno.test({
  name: "PlainReader takes the usual spellings without zod",
  permissions: "none",
  fn() {
    const usual = [
      { event_time: "2026-01-30T08:15:30Z" },
      { event_time: "2026-01-30 08:15:30.120+02:00" },
      { event_id: PURCHASE.event_id!.toUpperCase() },
      { price: "5" },
      { price: "5.5" },
      { product_name: "Café crème, 2 pièces" },
      { product_name: 'The "Oak"' },
      { currency: "eur", country: "de", device: "Phone" },
      { category: "", brand: "" },
    ];
    const { plain } = readPlain(
      usual.map((change) => lineOf({ ...PURCHASE, ...change }, false)).join(""),
    );
    assert.deepEqual(plain, usual.map(() => true));
  },
});

Deno.test({
  name: "PlainReader takes each value once, however it is spelt",
  permissions: "none",
  fn() {
    const spellings = [{ device: "mobile" }, { device: "Phone" }, { device: "MOBILE" }];
    const text = spellings.flatMap((change) => [
      lineOf({ ...PURCHASE, ...change }, false),
      lineOf({ ...PURCHASE, ...change }, true),
    ]).join("");
    const { accepted } = readPlain(text);
    const { codeOf, values } = accepted.columns[NAMES.indexOf("device")]!.codes();
    const mobile = values.indexOf("mobile");
    assert.equal(values.lastIndexOf("mobile"), mobile);
    assert.deepEqual([...codeOf], spellings.flatMap(() => [mobile, mobile]));
  },
});

Deno.test({
  name: "PlainReader tells thousands of values apart",
  permissions: "none",
  fn() {
    const ids = Array.from({ length: 20_000 }, (_, index) => `P-${index % 10_000 * 7919}`);
    const { accepted } = readPlain(
      ids.map((product_id) => lineOf({ ...VIEW, product_id }, false)).join(""),
    );
    const column = accepted.columns[NAMES.indexOf("product_id")]!;
    assert.deepEqual(column.toArray(), ids);
    assert.equal(new Set(column.codes().codeOf).size, 10_000);
  },
});

Deno.test({
  name: "PlainReader leaves values to others that were made to be slow to find",
  permissions: "none",
  fn() {
    const names = collidingTexts(600);
    const lines = names.map((product_name) => lineOf({ ...VIEW, product_name }, false));
    const { accepted, plain } = readPlain(lines.join(""), NAMES, {
      contract: defineContract(SHOP_EVENTS),
    });
    assert.ok(plain.includes(false));
    assert.ok(plain.filter((isPlain) => isPlain).length >= 256);
    const column = accepted.columns[NAMES.indexOf("product_name")]!;
    assert.deepEqual(column.toArray(), names.filter((_, index) => plain[index]));
  },
});

/** Texts of one length whose keys choose one slot, in a table of whatever size they make it grow to. */
function collidingTexts(count: number): string[] {
  const found: string[] = [];
  for (let number = 0; found.length < count; number++) {
    const text = `Chair ${number.toString(36).padStart(6, "0")}`;
    if ((keyOf(Buffer.from(text), 0, text.length) & 0x7ff) === 0) found.push(text);
  }
  return found;
}

Deno.test({
  name: "PlainReader knows values again in other chunks, by one code",
  permissions: "none",
  fn() {
    const codeOf = (
      record: Readonly<Record<string, string>>,
      header = NAMES,
      delimiter: CsvDialect["delimiter"] = ",",
    ) => {
      const fields = header.map((name) => record[name]!);
      const { accepted, plain } = readPlain(fields.join(delimiter) + "\n", header, { delimiter });
      assert.deepEqual(plain, [true]);
      assert.deepEqual(
        accepted.columns.map((column) => column.at(0)),
        NAMES.map((name) => record[name] || (name === "order_id" ? null : "")),
      );
      return accepted.columns[NAMES.indexOf("product_id")]!.codes().codeOf[0];
    };
    const code = codeOf(VIEW);
    assert.equal(codeOf(VIEW), code);
    assert.equal(codeOf({ ...VIEW, brand: "Elm" }), code);
    assert.equal(codeOf(VIEW, NAMES.toReversed()), code);
    assert.equal(codeOf(VIEW, NAMES, ";"), code);
    assert.notEqual(codeOf({ ...VIEW, product_id: `${VIEW.product_id}0` }), code);
    // The same bytes in another order of columns, or with another delimiter, are other values.
    const swapped = { ...VIEW, product_name: "a", category: "b", brand: "c" };
    codeOf(swapped);
    const names = NAMES.map((name) =>
      name === "brand" ? "category" : name === "category" ? "brand" : name
    );
    codeOf({ ...swapped, category: "c", brand: "b" }, names);
    codeOf({ ...swapped, category: "b;c", brand: "" });
    codeOf({ ...swapped, category: "b", brand: "c," }, NAMES, ";");
  },
});

Deno.test({
  name: "PlainReader reads absent columns as empty",
  permissions: "none",
  fn() {
    const isThere = (name: string) => name !== "brand" && name !== "order_id";
    const header = NAMES.filter(isThere);
    const fields = header.map((name) => VIEW[name]!);
    const { accepted, plain } = readPlain(csvLine(fields), header);
    assert.deepEqual(plain, [true]);
    const values = accepted.columns.map((column) => column.at(0));
    assert.deepEqual(
      values,
      NAMES.map((name) => name === "brand" ? "" : name === "order_id" ? null : VIEW[name]),
    );
  },
});

Deno.test({
  name: "PlainReader leaves records that are no text to others",
  permissions: "none",
  fn() {
    const header = [...NAMES, "notes"];
    const withNotes = (notes: Uint8Array) =>
      Buffer.concat([Buffer.from(csvLine(cells(VIEW)).trimEnd() + ","), notes, Buffer.from("\n")]);
    const bytes = Buffer.concat([
      withNotes(Buffer.from("fine")),
      withNotes(Uint8Array.of(0)),
      withNotes(Uint8Array.of(0xe9)),
      withNotes(Buffer.from("fein, schön").subarray(0, 4)),
    ]);
    assert.deepEqual(readPlain(bytes, header).plain, [true, false, false, true]);
  },
});
