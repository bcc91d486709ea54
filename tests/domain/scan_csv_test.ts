import { deepEqual, equal } from "node:assert/strict";
import {
  type CsvDialect,
  type CsvFault,
  type CsvRecord,
  CsvScanner,
  scanCsv,
  type ScanOptions,
} from "../../domain/scan_csv.ts";

const DIALECT: CsvDialect = { delimiter: ",", bomBytes: 0 };
const LIMITS = { maxRecordBytes: 16, maxColumns: 4 };

interface Case {
  name: string;
  input: string | number[];
  /** Line, raw text, and fields or fault of each record. */
  records: [line: number, raw: string, read: string[] | CsvFault][];
  options?: Partial<ScanOptions>;
}

const CASES: Case[] = [
  { name: "finds nothing in an empty file", input: "", records: [] },
  { name: "finds nothing in blank lines", input: "\n\r\n\r\r\n", records: [] },
  { name: "reads a last record without line end", input: "a,b", records: [[1, "a,b", ["a", "b"]]] },
  {
    name: "reads LF, CRLF, CR and mixes of them",
    input: "a\nb\r\nc\rd\n\re",
    records: [[1, "a", ["a"]], [2, "b", ["b"]], [3, "c", ["c"]], [4, "d", ["d"]], [6, "e", ["e"]]],
  },
  {
    name: "counts blank lines without reading them",
    input: "\n\na\r\n\r\nb\n\n",
    records: [[3, "a", ["a"]], [5, "b", ["b"]]],
  },
  { name: "reads a line of spaces as one field", input: "  \n", records: [[1, "  ", ["  "]]] },
  {
    name: "reads empty fields",
    input: ",\n,,",
    records: [[1, ",", ["", ""]], [2, ",,", ["", "", ""]]],
  },
  { name: "reads a quoted empty field", input: '""\n', records: [[1, '""', [""]]] },
  {
    name: "reads quoted delimiters, escaped quotes and line breaks",
    input: '"a,b","c""d"\n"e\r\nf",g\nh',
    records: [
      [1, '"a,b","c""d"', ["a,b", 'c"d']],
      [2, '"e\r\nf",g', ["e\r\nf", "g"]],
      [4, "h", ["h"]],
    ],
  },
  {
    name: "counts every line end inside quotes",
    input: '"\n\r\r\n"\nb',
    records: [[1, '"\n\r\r\n"', ["\n\r\r\n"]], [5, "b", ["b"]]],
  },
  {
    name: "reads only quotes",
    input: '""""\n""""""',
    records: [[1, '""""', ['"']], [2, '""""""', ['""']]],
  },
  {
    name: "takes a quote inside an unquoted field literally",
    input: '5" disk,a"b"\n "c"\n',
    records: [[1, '5" disk,a"b"', ['5" disk', 'a"b"']], [2, ' "c"', [' "c"']]],
  },
  {
    name: "reads the other delimiters",
    input: 'a;"b;c",d\n',
    records: [[1, 'a;"b;c",d', "broken_quote"]],
    options: { dialect: { delimiter: ";", bomBytes: 0 } },
  },
  {
    name: "reads tabs between quotes",
    input: 'a,b\t"c"\t\n',
    records: [[1, 'a,b\t"c"\t', ["a,b", "c", ""]]],
    options: { dialect: { delimiter: "\t", bomBytes: 0 } },
  },
  {
    name: "skips the byte order mark at the start of the file only",
    input: "\ufeffa\n\ufeffb",
    records: [[1, "a", ["a"]], [2, "\ufeffb", ["\ufeffb"]]],
    options: { dialect: { delimiter: ",", bomBytes: 3 } },
  },
  {
    name: "decodes characters of every length, also inside quotes",
    input: 'é,"中🪑",""\nz\n',
    records: [[1, 'é,"中🪑",""', ["é", "中🪑", ""]], [2, "z", ["z"]]],
  },
  {
    name: "resumes after an unclosed quote at the end of the file",
    input: 'a\n"b\nc\nd',
    records: [[1, "a", ["a"]], [2, '"b', "broken_quote"], [3, "c", ["c"]], [4, "d", ["d"]]],
  },
  {
    name: "ends with a lone quote",
    input: 'a\n"',
    records: [[1, "a", ["a"]], [2, '"', "broken_quote"]],
  },
  {
    name: "resumes after text behind a closing quote",
    input: '"a"b,c\nd\n"e" \nf',
    records: [
      [1, '"a"b,c', "broken_quote"],
      [2, "d", ["d"]],
      [3, '"e" ', "broken_quote"],
      [4, "f", ["f"]],
    ],
  },
  {
    name: "gives up only the first line when a quote breaks lines later",
    input: '1,"a\n2,b\n3,"c"\n4,d',
    records: [
      [1, '1,"a', "broken_quote"],
      [2, "2,b", ["2", "b"]],
      [3, '3,"c"', ["3", "c"]],
      [4, "4,d", ["4", "d"]],
    ],
  },
  {
    name: "gives up a quote not closed within the cap",
    input: '"a\nbbbbbbbbb\nc\nddd"\n',
    records: [
      [1, '"a', "broken_quote"],
      [2, "bbbbbbbbb", ["bbbbbbbbb"]],
      [3, "c", ["c"]],
      [4, 'ddd"', ['ddd"']],
    ],
    options: { limits: LIMITS },
  },
  {
    name: "reads a record of exactly the cap, over lines or not",
    input: '"aaaaaaa\nbbbbbb"\n0123456789abcdef\r\n0123456789abcdef',
    records: [
      [1, '"aaaaaaa\nbbbbbb"', ["aaaaaaa\nbbbbbb"]],
      [3, "0123456789abcdef", ["0123456789abcdef"]],
      [4, "0123456789abcdef", ["0123456789abcdef"]],
    ],
    options: { limits: LIMITS },
  },
  {
    name: "skips a record over the cap to its line end, whatever its quotes",
    input: 'a\n0123456789abcdefg\nb\n"0123456789abcdef\nc"\n"d"e0123456789abcdef',
    records: [
      [1, "a", ["a"]],
      [2, "0123456789abcdefg", "record_too_long"],
      [3, "b", ["b"]],
      [4, '"0123456789abcdef', "record_too_long"],
      [5, 'c"', ['c"']],
      [6, '"d"e0123456789abcdef', "record_too_long"],
    ],
    options: { limits: LIMITS },
  },
  {
    name: "finds a closing quote that an earlier record just could not reach",
    input: 'x,"1\ny","2\nzzzzzz"\nb',
    records: [
      [1, 'x,"1', "broken_quote"],
      [2, 'y","2\nzzzzzz"', ['y"', "2\nzzzzzz"]],
      [4, "b", ["b"]],
    ],
    options: { limits: LIMITS },
  },
  {
    name: "rejects too many columns and reads the next record",
    input: 'a,b,c,d\na,b,c,d,e\n,,,,\n"",,,\n',
    records: [
      [1, "a,b,c,d", ["a", "b", "c", "d"]],
      [2, "a,b,c,d,e", "too_many_columns"],
      [3, ",,,,", "too_many_columns"],
      [4, '"",,,', ["", "", "", ""]],
    ],
    options: { limits: LIMITS },
  },
  {
    name: "rejects only the records that hold a NUL",
    input: 'a\n\0\nb\n"c\n\0"\nd',
    records: [
      [1, "a", ["a"]],
      [2, "\0", "nul_byte"],
      [3, "b", ["b"]],
      [4, '"c\n\0"', "nul_byte"],
      [6, "d", ["d"]],
    ],
  },
];

for (const { name, input, records, options } of CASES) {
  Deno.test({
    name: `scanCsv() ${name}`,
    permissions: "none",
    fn() {
      const bytes = typeof input === "string" ? toBytes(input) : Uint8Array.from(input);
      const scan = { dialect: DIALECT, ...options };
      deepEqual([...scanCsv(bytes, scan)].map((record) => summary(bytes, record)), records);
    },
  });
  Deno.test({
    name: `CsvScanner ${name}, at every split of the input`,
    permissions: "none",
    fn() {
      const bytes = typeof input === "string" ? toBytes(input) : Uint8Array.from(input);
      for (const windowBytes of [1, 2, 7, 1000]) {
        const scan = { dialect: DIALECT, ...options, windowBytes };
        for (let at = 0; at <= bytes.length; at++) {
          const read = scanBlocks([bytes.slice(0, at), bytes.slice(at)], scan);
          deepEqual(read.map((record) => summary(bytes, record)), records, `split at ${at}`);
        }
        const blocks = Array.from(bytes, (byte) => Uint8Array.of(byte));
        deepEqual(scanBlocks(blocks, scan).map((record) => summary(bytes, record)), records);
      }
    },
  });
}

const BROKEN_UTF8: { name: string; field: number[] }[] = [
  { name: "a lone continuation byte", field: [0x80] },
  { name: "a character cut by the record's end", field: [0xe4, 0xb8] },
  { name: "an overlong form", field: [0xc0, 0xaf] },
  { name: "a surrogate", field: [0xed, 0xa0, 0x80] },
  { name: "a code point past the last", field: [0xf4, 0x90, 0x80, 0x80] },
  { name: "Latin-1", field: [0x63, 0x61, 0x66, 0xe9] },
];

for (const { name, field } of BROKEN_UTF8) {
  Deno.test({
    name: `scanCsv() rejects only the record with ${name}`,
    permissions: "none",
    fn() {
      const bytes = Uint8Array.of(...toBytes("é,1\n"), ...field, ...toBytes(',2\n中,"3é"\n'));
      const expected = [["é", "1"], "invalid_utf8", ["中", "3é"]];
      const records = [...scanCsv(bytes, { dialect: DIALECT })];
      deepEqual(records.map((record) => record.fault ?? record.fields), expected);
      const blocks = Array.from(bytes, (byte) => Uint8Array.of(byte));
      deepEqual(scanBlocks(blocks, { dialect: DIALECT, windowBytes: 1 }), records);
    },
  });
}

Deno.test({
  name: "scanCsv() counts from the place where a chunk begins",
  permissions: "none",
  fn() {
    const scan = { dialect: { ...DIALECT, bomBytes: 3 }, firstLine: 7, byteStart: 5_000_000_000 };
    deepEqual([...scanCsv(toBytes("\na\n"), scan)], [
      { line: 8, byteStart: 5_000_000_001, byteEnd: 5_000_000_002, fields: ["a"] },
    ]);
  },
});

Deno.test({
  name: "scanCsv() reads a view that starts inside its buffer",
  permissions: "none",
  fn() {
    const bytes = toBytes("xx,é\nyy").subarray(1, 5);
    deepEqual([...scanCsv(bytes, { dialect: DIALECT })].map((record) => record.fields), [[
      "x",
      "é",
    ]]);
  },
});

Deno.test({
  name: "scanCsv() stops collecting the fields of a line with very many columns",
  permissions: "none",
  fn() {
    const bytes = toBytes("a\n" + ",".repeat(1024 * 1024) + "\nb\n");
    const records = [...scanCsv(bytes, { dialect: DIALECT })];
    deepEqual(records.map(({ line, fault, fields }) => [line, fault ?? fields.join()]), [
      [1, "a"],
      [2, "too_many_columns"],
      [3, "b"],
    ]);
  },
});

Deno.test({
  name: "CsvScanner lets the caller overwrite its block",
  permissions: "none",
  fn() {
    const block = new Uint8Array(2);
    const records: CsvRecord[] = [];
    const scanner = new CsvScanner({ dialect: DIALECT }, (record) => records.push(record));
    for (const text of ["ab", ",c", "\nd"]) {
      block.set(toBytes(text));
      scanner.push(block);
    }
    scanner.end();
    deepEqual(records.map(({ fields }) => fields), [["ab", "c"], ["d"]]);
  },
});

Deno.test({
  name: "CsvScanner keeps nothing of a record over the cap but its place",
  permissions: "none",
  fn() {
    const records: CsvRecord[] = [];
    const scanner = new CsvScanner({ dialect: DIALECT }, (record) => records.push(record));
    const block = new Uint8Array(1024 * 1024).fill(0x61);
    const before = Deno.memoryUsage().rss;
    scanner.push(toBytes('a\n"'));
    for (let i = 0; i < 300; i++) scanner.push(block);
    const grown = Deno.memoryUsage().rss - before;
    scanner.push(toBytes("\nb\n"));
    scanner.end();
    const end = 3 + 300 * block.length;
    deepEqual(records, [
      { line: 1, byteStart: 0, byteEnd: 1, fields: ["a"] },
      { line: 2, byteStart: 2, byteEnd: end, fields: [], fault: "record_too_long" },
      { line: 3, byteStart: end + 1, byteEnd: end + 2, fields: ["b"] },
    ]);
    equal(grown < 100 * block.length, true, `grown by ${grown} bytes`);
  },
});

function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function scanBlocks(
  blocks: Uint8Array[],
  options: ScanOptions & { windowBytes: number },
): CsvRecord[] {
  const records: CsvRecord[] = [];
  const scanner = new CsvScanner(options, (record) => records.push(record));
  for (const block of blocks) scanner.push(block);
  scanner.end();
  return records;
}

function summary(bytes: Uint8Array, { line, byteStart, byteEnd, fields, fault }: CsvRecord) {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return [line, decoder.decode(bytes.subarray(byteStart, byteEnd)), fault ?? fields];
}
