import { Buffer } from "node:buffer";

/** Longer texts are not kept where V8 clears away for next to nothing what was short-lived. */
const PIECE_BITS = 15;
const PIECE_BYTES = 1 << PIECE_BITS;

/**
 * Searches bytes as text, one character a byte, which is ten times faster than a search in a Uint8Array. The text is made
 * piece by piece, where a search comes to.
 */
export class ByteSearch {
  readonly #bytes: Buffer;
  readonly #pieces: (string | undefined)[];

  /** @param bytes To be searched; they must stay as they are. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#pieces = new Array(Math.ceil(bytes.length / PIECE_BYTES));
  }

  /**
   * Finds the first byte of a value.
   *
   * @param wanted The byte, as a character.
   * @param from Where the search begins.
   * @returns Its position; the number of bytes when there is none.
   */
  find(wanted: string, from: number): number {
    const { length } = this.#pieces;
    for (let piece = from >> PIECE_BITS; piece < length; piece++) {
      const start = piece << PIECE_BITS;
      const at = this.#textOf(piece).indexOf(wanted, Math.max(0, from - start));
      if (at >= 0) return start + at;
    }
    return this.#bytes.length;
  }

  #textOf(piece: number): string {
    const start = piece << PIECE_BITS;
    return this.#pieces[piece] ??= this.#bytes.toString(
      "latin1",
      start,
      Math.min(start + PIECE_BYTES, this.#bytes.length),
    );
  }
}
