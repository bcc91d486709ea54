import assert from "node:assert/strict";
import { escapeBytes } from "../../../scripts/cli/escape_bytes.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

const CASES: { name: string; input: Uint8Array; output: string }[] = [
  { name: "keeps plain text", input: utf8("7,Blå ☕ 😀"), output: "7,Blå ☕ 😀" },
  {
    name: "escapes control characters",
    input: utf8("a\n\r\t\x00\x1b[2J\x7f"),
    output: "a\\n\\r\\t\\x00\\x1b[2J\\x7f",
  },
  {
    name: "escapes what turns the direction of text",
    input: utf8("a\u202eb\u0085"),
    output: "a\\u{202e}b\\u{85}",
  },
  { name: "escapes the byte order mark", input: utf8("\ufeffa"), output: "\\u{feff}a" },
  { name: "escapes the backslash", input: utf8("a\\n"), output: "a\\\\n" },
  {
    name: "escapes bytes that are not UTF-8",
    input: Uint8Array.of(0x61, 0xe9, 0x2c, 0xc3),
    output: "a\\xe9,\\xc3",
  },
  {
    name: "escapes overlong forms and surrogates",
    input: Uint8Array.of(0xc0, 0x80, 0xed, 0xa0, 0x80),
    output: "\\xc0\\x80\\xed\\xa0\\x80",
  },
  { name: "gives nothing for nothing", input: new Uint8Array(), output: "" },
];

for (const { name, input, output } of CASES) {
  Deno.test({
    name: `escapeBytes() ${name}`,
    permissions: "none",
    fn() {
      assert.equal(escapeBytes(input), output);
    },
  });
}
