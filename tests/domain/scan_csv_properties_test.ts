import { deepEqual, equal, ok } from "node:assert/strict";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { RecordBorders } from "../../domain/_record_borders.ts";
import {
  type CsvDialect,
  type CsvRecord,
  CsvScanner,
  scanCsv,
  type ScanOptions,
} from "../../domain/scan_csv.ts";
import { blockSizes, cutBlocks, scanNaively, smallLimits, soup } from "./_csv_soup.ts";

const DIALECT: CsvDialect = { delimiter: ",", bomBytes: 0 };
const delimiters = fc.constantFrom(",", ";", "\t", "|" as const);
const windowSizes = fc.integer({ min: 1, max: 50 });

/** Values that need quotes, and such that do not. */
const values = fc.oneof(
  fc.string({ unit: "binary", maxLength: 6 }).filter((text) => !text.includes("\0")),
  fc.string({ unit: fc.constantFrom('"', ",", ";", "\n", "\r", "a", "é", " "), maxLength: 6 }),
);

/** A table as one string per record, each value quoted if it must be or by chance, and line ends. */
const tables = fc.record({
  delimiter: delimiters,
  rows: fc.array(
    fc.array(fc.record({ value: values, isQuoted: fc.boolean() }), { minLength: 1, maxLength: 5 }),
    { maxLength: 8 },
  ),
  lineEnds: fc.array(fc.constantFrom("\n", "\r\n", "\r"), { minLength: 1, maxLength: 3 }),
  endsWithLineEnd: fc.boolean(),
}).map(({ delimiter, rows, lineEnds, endsWithLineEnd }) => {
  const records = rows.map((row) =>
    row.map(({ value, isQuoted }, column) => {
      const isBlankLine = row.length === 1 && value === "";
      const needsQuotes = /^"|[\r\n]/.test(value) || value.includes(delimiter) || isBlankLine ||
        (column === 0 && value.startsWith("\ufeff"));
      return isQuoted || needsQuotes ? `"${value.replaceAll('"', '""')}"` : value;
    }).join(delimiter)
  );
  const text = records.map((record, i) => {
    const isLast = i === records.length - 1;
    return isLast && !endsWithLineEnd ? record : record + lineEnds[i % lineEnds.length]!;
  }).join("");
  return { dialect: { delimiter, bomBytes: 0 }, rows, records, text };
});

Deno.test({
  name: "scanCsv() reads what csv-parse reads, and returns each record's bytes",
  permissions: "none",
  fn() {
    fc.assert(
      fc.property(tables, ({ dialect, rows, records, text }) => {
        const bytes = new TextEncoder().encode(text);
        const read = [...scanCsv(bytes, { dialect })];
        deepEqual(
          read.map(({ fields }) => fields),
          rows.map((row) => row.map(({ value }) => value)),
        );
        deepEqual(read.map(({ fields }) => fields), parseWithRival(bytes, dialect));
        deepEqual(read.map((record) => sliceText(bytes, record)), records);
      }),
      { numRuns: 1000 },
    );
  },
});

Deno.test({
  name: "CsvScanner reads the same at every split of a small input",
  permissions: "none",
  fn() {
    fc.assert(
      fc.property(tables, windowSizes, ({ dialect, text }, windowBytes) => {
        const bytes = new TextEncoder().encode(text);
        const whole = [...scanCsv(bytes, { dialect })];
        for (let at = 0; at <= bytes.length; at++) {
          const blocks = [bytes.slice(0, at), bytes.slice(at)];
          deepEqual(scanBlocks(blocks, { dialect, windowBytes }), whole, `split at ${at}`);
        }
      }),
      { numRuns: 100 },
    );
  },
});

Deno.test({
  name: "CsvScanner reads the same at random splits of a larger input",
  permissions: "none",
  fn() {
    const large = fc.array(tables, { minLength: 20, maxLength: 60 });
    const sizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(large, sizes, fc.integer({ min: 1, max: 500 }), (parts, blocks, windowBytes) => {
        const bytes = new TextEncoder().encode(parts.map(({ text }) => text).join("\n"));
        const whole = [...scanCsv(bytes, { dialect: DIALECT })];
        deepEqual(scanBlocks(cutBlocks(bytes, blocks), { dialect: DIALECT, windowBytes }), whole);
      }),
      { numRuns: 50 },
    );
  },
});

Deno.test({
  name: "scanCsv() and CsvScanner follow the rules in byte soup",
  permissions: "none",
  fn() {
    fc.assert(
      fc.property(
        soup,
        smallLimits,
        blockSizes,
        windowSizes,
        (bytes, limits, sizes, windowBytes) => {
          const options = { dialect: DIALECT, limits };
          const expected = scanNaively(bytes, options);
          deepEqual([...scanCsv(bytes, options)], expected);
          deepEqual(scanBlocks(cutBlocks(bytes, sizes), { ...options, windowBytes }), expected);
        },
      ),
      { numRuns: 10_000 },
    );
  },
});

Deno.test({
  name:
    "scanCsv() leaves out nothing but line ends, and tells records over the cap by length alone",
  permissions: "none",
  fn() {
    fc.assert(
      fc.property(soup, smallLimits, (bytes, limits) => {
        let at = 0;
        for (const record of scanCsv(bytes, { dialect: DIALECT, limits })) {
          ok(bytes.subarray(at, record.byteStart).every((byte) => byte === 10 || byte === 13));
          const length = record.byteEnd - record.byteStart;
          equal(record.fault === "record_too_long", length > limits.maxRecordBytes);
          equal(record.fault === undefined, record.fields.length > 0);
          at = record.byteEnd;
        }
        ok(bytes.subarray(at).every((byte) => byte === 10 || byte === 13));
      }),
      { numRuns: 2000 },
    );
  },
});

/** Each line's search leads far ahead in vain, if nothing is remembered. */
const TRAPS = [
  { name: "open quotes all in one chain", unit: 'a","b\n' },
  { name: "a chain that breaks at the end", unit: 'a","b\n', end: '"x' },
  { name: "open quotes on every line", unit: '"\n' },
  { name: "one open quote", unit: "aaaa\n", start: '"' },
  { name: "escaped quotes behind an open one", unit: 'a""\n', start: '"' },
  { name: "broken quotes", unit: '"a"b\n' },
  { name: "whole quoted fields", unit: '"a","b"\n' },
  { name: "an open quote behind a whole quoted field", unit: '"a","b\n' },
  { name: "line ends of both kinds", unit: 'a","b\r\n' },
  { name: "lines without any quote or CR", unit: "a\n" },
  { name: "blank lines", unit: "\n" },
  { name: "carriage returns only", unit: 'a","b\r' },
];

for (const { name, unit, start = "", end = "" } of TRAPS) {
  for (const maxRecordBytes of [1000, Infinity]) {
    Deno.test({
      name: `RecordBorders does linear work on ${name} with a cap of ${maxRecordBytes} bytes`,
      permissions: "none",
      fn() {
        const bytes = new TextEncoder().encode(start + unit.repeat(50_000) + end);
        const { examined, searched } = countWork(bytes, maxRecordBytes);
        ok(examined <= 2 * bytes.length, `examined ${examined} of ${bytes.length} bytes`);
        ok(searched <= 3 * bytes.length, `searched ${searched} of ${bytes.length} bytes`);
      },
    });
  }
}

Deno.test({
  name: "RecordBorders does linear work in byte soup",
  permissions: "none",
  fn() {
    fc.assert(
      fc.property(soup, smallLimits, (bytes, { maxRecordBytes }) => {
        const { examined, searched } = countWork(bytes, maxRecordBytes);
        ok(examined <= 2 * bytes.length);
        ok(searched <= 3 * bytes.length);
      }),
      { numRuns: 2000 },
    );
  },
});

/** Bytes walked over one by one, and bytes passed by `indexOf`. */
function countWork(bytes: Uint8Array, maxRecordBytes: number) {
  const { indexOf } = String.prototype;
  let searched = 0;
  const borders = new RecordBorders({ delimiter: ",", maxRecordBytes, byteStart: 0, firstLine: 1 });
  String.prototype.indexOf = function (wanted: string, from = 0) {
    const found = indexOf.call(this, wanted, from);
    searched += (found < 0 ? this.length : found) - from;
    return found;
  };
  try {
    borders.load(bytes, true);
    while (borders.advance());
  } finally {
    String.prototype.indexOf = indexOf;
  }
  return { examined: borders.examined, searched };
}

function parseWithRival(bytes: Uint8Array, { delimiter }: CsvDialect): string[][] {
  return parse(bytes, {
    delimiter,
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    relax_quotes: true,
  });
}

function sliceText(bytes: Uint8Array, { byteStart, byteEnd }: CsvRecord): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(byteStart, byteEnd));
}

function scanBlocks(
  blocks: Iterable<Uint8Array>,
  options: ScanOptions & { windowBytes: number },
): CsvRecord[] {
  const records: CsvRecord[] = [];
  const scanner = new CsvScanner(options, (record) => records.push(record));
  for (const block of blocks) scanner.push(block);
  scanner.end();
  return records;
}
