import { deepEqual, equal } from "node:assert/strict";
import {
  detectDialect,
  detectEncoding,
  DIALECT_SAMPLE_BYTES,
} from "../../domain/detect_dialect.ts";

const CASES: { name: string; input: string; delimiter: string }[] = [
  { name: "finds a comma", input: "a,b\n1;2;3,4", delimiter: "," },
  { name: "finds a semicolon", input: "a;b\n1,5;2,5", delimiter: ";" },
  { name: "finds a tab", input: "a\tb,c\td\n", delimiter: "\t" },
  { name: "finds a pipe", input: "a|b|c", delimiter: "|" },
  { name: "ignores what stands in quotes", input: '"a,b,c";"d\n,,,"\n', delimiter: ";" },
  {
    name: "ignores what stands between escaped quotes",
    input: '"a"",""b,";c\n',
    delimiter: ";",
  },
  { name: "prefers the comma when it is a draw", input: "a;b,c\n", delimiter: "," },
  { name: "takes the comma for a single column", input: "event_id\n1;2\n", delimiter: "," },
  { name: "takes the comma for an empty file", input: "", delimiter: "," },
  { name: "takes the comma for blank lines", input: "\r\n\n\r", delimiter: "," },
  { name: "takes the comma when quotes are broken", input: '"a;b;c\n', delimiter: "," },
  { name: "reads the first line that is not blank", input: "\n\r\na;b\n1,2,3", delimiter: ";" },
  { name: "counts quotes inside a field as text", input: 'a";b";c,d\n', delimiter: ";" },
];

for (const { name, input, delimiter } of CASES) {
  Deno.test({
    name: `detectDialect() ${name}`,
    permissions: "none",
    fn() {
      deepEqual(detectDialect(toBytes(input)), { delimiter, bomBytes: 0 });
      deepEqual(detectDialect(toBytes("\ufeff" + input)), { delimiter, bomBytes: 3 });
    },
  });
}

Deno.test({
  name: "detectDialect() decides on its sample, even inside a character",
  permissions: "none",
  fn() {
    const start = toBytes("a;b" + "é".repeat(DIALECT_SAMPLE_BYTES / 2));
    const whole = Uint8Array.of(...start, ...toBytes(",c,d,e\n"));
    deepEqual(detectDialect(whole), { delimiter: ";", bomBytes: 0 });
    deepEqual(detectDialect(whole.subarray(0, DIALECT_SAMPLE_BYTES)), detectDialect(whole));
  },
});

const ENCODINGS: { name: string; start: number[]; encoding: string }[] = [
  { name: "UTF-16LE", start: [0xff, 0xfe, 0x61, 0x00], encoding: "utf-16le" },
  { name: "UTF-16BE", start: [0xfe, 0xff, 0x00, 0x61], encoding: "utf-16be" },
  { name: "UTF-8 with a byte order mark", start: [0xef, 0xbb, 0xbf, 0x61], encoding: "utf-8" },
  { name: "UTF-8 without one", start: [0x61, 0x2c], encoding: "utf-8" },
  { name: "an empty file as UTF-8", start: [], encoding: "utf-8" },
  { name: "half a byte order mark as UTF-8", start: [0xff], encoding: "utf-8" },
];

for (const { name, start, encoding } of ENCODINGS) {
  Deno.test({
    name: `detectEncoding() tells ${name}`,
    permissions: "none",
    fn() {
      equal(detectEncoding(Uint8Array.from(start)), encoding);
    },
  });
}

function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
