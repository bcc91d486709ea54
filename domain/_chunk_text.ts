import { Buffer } from "node:buffer";

/** Bit beyond those of a byte: quotes within a quoted field are written twice. */
export const ESCAPED = 0x100;

/** The bytes of a chunk, and how its fields are read as text. */
export class ChunkText {
  readonly bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /**
   * Text of a field, in memory of its own.
   *
   * @param from Its first byte, without quotes around it.
   * @param to Behind its last byte.
   * @param seen All its bytes, or-ed: ASCII leaves the highest bit unset; {@linkcode ESCAPED}.
   */
  decode(from: number, to: number, seen: number): string {
    const text = this.bytes.toString((seen & 0x80) === 0 ? "latin1" : "utf8", from, to);
    return seen >= ESCAPED ? text.replaceAll('""', '"') : text;
  }
}
