/**
 * Turns UTF-16 into UTF-8, block by block. A lone surrogate becomes the three bytes that UTF-8 forbids for it, so that
 * the scanner finds it where it stands and rejects that record alone.
 *
 * @example
 * ```ts
 * import { Utf16Transcoder } from "./transcode_utf16.ts";
 * import assert from "node:assert/strict";
 * const transcoder = new Utf16Transcoder("utf-16be");
 * const bytes = transcoder.push(Uint8Array.of(0xfe, 0xff, 0x00, 0x61, 0x20, 0xac));
 * assert.equal(new TextDecoder().decode(bytes), "a€");
 * ```
 */
export class Utf16Transcoder {
  readonly #high: 0 | 1;
  /** First byte of a unit, and first unit of a pair, that a block ended in. */
  #half: number | undefined;
  #lead: number | undefined;
  #atStart = true;

  /** @param encoding As found from the byte order mark, which is dropped. */
  constructor(encoding: "utf-16le" | "utf-16be") {
    this.#high = encoding === "utf-16be" ? 0 : 1;
  }

  /** Takes the next block; gives the UTF-8 of all characters that are complete. */
  push(block: Uint8Array): Uint8Array<ArrayBuffer> {
    // A unit gives at most 3 bytes, and a lead kept from before as many again.
    const output = new Uint8Array(Math.ceil((block.length + 1) / 2) * 3 + 3);
    let length = 0;
    for (const byte of block) {
      if (this.#half === undefined) {
        this.#half = byte;
        continue;
      }
      const unit = this.#high === 0 ? this.#half << 8 | byte : byte << 8 | this.#half;
      this.#half = undefined;
      if (this.#atStart && unit === BYTE_ORDER_MARK) {
        this.#atStart = false;
        continue;
      }
      this.#atStart = false;
      length = this.#write(unit, output, length);
    }
    return output.slice(0, length);
  }

  /** Ends the text: half a character at its end is written as what UTF-8 forbids. */
  end(): Uint8Array<ArrayBuffer> {
    const output = new Uint8Array(6);
    let length = 0;
    if (this.#lead !== undefined) length = writeThree(this.#lead, output, length);
    if (this.#half !== undefined) output[length++] = 0xff;
    this.#lead = this.#half = undefined;
    return output.slice(0, length);
  }

  #write(unit: number, output: Uint8Array, start: number): number {
    let length = start;
    const lead = this.#lead;
    this.#lead = undefined;
    if (lead !== undefined) {
      if (unit >= 0xdc00 && unit < 0xe000) {
        return writeFour(0x10000 + ((lead - 0xd800) << 10) + unit - 0xdc00, output, length);
      }
      length = writeThree(lead, output, length);
    }
    if (unit >= 0xd800 && unit < 0xdc00) {
      this.#lead = unit;
      return length;
    }
    if (unit < 0x80) {
      output[length] = unit;
      return length + 1;
    }
    if (unit < 0x800) {
      output[length] = 0xc0 | unit >> 6;
      output[length + 1] = 0x80 | unit & 0x3f;
      return length + 2;
    }
    return writeThree(unit, output, length);
  }
}

const BYTE_ORDER_MARK = 0xfeff;

function writeThree(unit: number, output: Uint8Array, length: number): number {
  output[length] = 0xe0 | unit >> 12;
  output[length + 1] = 0x80 | unit >> 6 & 0x3f;
  output[length + 2] = 0x80 | unit & 0x3f;
  return length + 3;
}

function writeFour(codePoint: number, output: Uint8Array, length: number): number {
  output[length] = 0xf0 | codePoint >> 18;
  output[length + 1] = 0x80 | codePoint >> 12 & 0x3f;
  output[length + 2] = 0x80 | codePoint >> 6 & 0x3f;
  output[length + 3] = 0x80 | codePoint & 0x3f;
  return length + 4;
}
