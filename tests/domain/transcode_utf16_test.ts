import assert from "node:assert/strict";
import fc from "fast-check";
import { Utf16Transcoder } from "../../domain/transcode_utf16.ts";

const ENCODINGS = ["utf-16le", "utf-16be"] as const;

for (const encoding of ENCODINGS) {
  Deno.test({
    name: `Utf16Transcoder agrees with TextDecoder on every split, ${encoding}`,
    permissions: "none",
    fn() {
      fc.assert(fc.property(
        fc.string({ unit: "grapheme", maxLength: 40 }),
        fc.nat(90),
        (text, at) => {
          const bytes = encode(text, encoding);
          const split = Math.min(at, bytes.length);
          const output = transcode(encoding, bytes.subarray(0, split), bytes.subarray(split));
          assert.equal(new TextDecoder("utf-8", { fatal: true }).decode(output), text);
        },
      ));
    },
  });
}

Deno.test({
  name: "Utf16Transcoder makes a lone surrogate invalid UTF-8, and nothing around it",
  permissions: "none",
  fn() {
    const output = transcode("utf-16le", encode("a\ud800b\udc00c\ud83d", "utf-16le"));
    assert.throws(() => new TextDecoder("utf-8", { fatal: true }).decode(output));
    assert.match(new TextDecoder().decode(output), /^a\ufffd+b\ufffd+c\ufffd+$/);
  },
});

Deno.test({
  name: "Utf16Transcoder makes half a unit at the end invalid UTF-8",
  permissions: "none",
  fn() {
    const output = transcode("utf-16be", Uint8Array.of(0xfe, 0xff, 0, 0x61, 0));
    assert.deepEqual([...output], [0x61, 0xff]);
  },
});

function transcode(encoding: typeof ENCODINGS[number], ...blocks: Uint8Array[]): Uint8Array {
  const transcoder = new Utf16Transcoder(encoding);
  const parts = blocks.map((block) => transcoder.push(block));
  return Uint8Array.from([...parts, transcoder.end()].flatMap((part) => [...part]));
}

/** With a byte order mark. */
function encode(text: string, encoding: typeof ENCODINGS[number]): Uint8Array {
  const bytes = [0xfe, 0xff];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes.push(unit >> 8, unit & 0xff);
  }
  if (encoding === "utf-16be") return Uint8Array.from(bytes);
  return Uint8Array.from(bytes.map((_, i) => bytes[i ^ 1] as number));
}
