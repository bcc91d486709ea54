import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { ByteSearch } from "../../domain/_byte_search.ts";

/** Beyond several pieces of text. */
const LENGTH = 100_000;

Deno.test({
  name: "ByteSearch finds what a search byte by byte finds, wherever pieces of its text meet",
  permissions: "none",
  fn() {
    const position = fc.oneof(
      fc.nat(LENGTH - 1),
      fc.integer({ min: -2, max: 2 }).map((offset) => 32_768 + offset),
      fc.integer({ min: -2, max: 2 }).map((offset) => 65_536 + offset),
    );
    fc.assert(fc.property(
      fc.array(fc.record({ at: position, byte: fc.constantFrom(0x00, 0x22, 0xff) })),
      fc.array(position, { minLength: 1 }),
      (marks, starts) => {
        // Not at the beginning of its memory.
        const bytes = Buffer.alloc(LENGTH + 7, 0x61).subarray(7);
        for (const { at, byte } of marks) bytes[at] = byte;
        const search = new ByteSearch(bytes);
        for (const from of starts) {
          for (const wanted of ["\0", '"', "\xff", "b"]) {
            const at = bytes.indexOf(wanted.charCodeAt(0), from);
            assert.equal(search.find(wanted, from), at < 0 ? LENGTH : at);
          }
        }
      },
    ));
    const search = new ByteSearch(Buffer.from("ab"));
    assert.equal(search.find("a", 2), 2);
    assert.equal(new ByteSearch(new Uint8Array()).find("a", 0), 0);
  },
});
