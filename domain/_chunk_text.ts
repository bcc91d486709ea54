import { Buffer } from "node:buffer";

/** Bit beyond those of a byte: quotes within a quoted field are written twice. */
export const ESCAPED = 0x100;

/** The bytes of a chunk, and ways to read them. */
export class ChunkText {
  readonly bytes: Buffer;
  /** The same as one character a byte. */
  readonly raw: string;

  constructor(bytes: Uint8Array, raw: string) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.raw = raw;
  }

  /**
   * Text of a field; it may share memory with all the text.
   *
   * @param from Its first byte, without quotes around it.
   * @param to Behind its last byte.
   * @param seen All its bytes, or-ed: ASCII leaves the highest bit unset; {@linkcode ESCAPED}.
   */
  decode(from: number, to: number, seen: number): string {
    const text = isAscii(seen)
      ? this.raw.substring(from, to)
      : this.bytes.toString("utf8", from, to);
    return unescaped(text, seen);
  }

  /** The same in memory of its own, to be kept for longer than the chunk. */
  copy(from: number, to: number, seen: number): string {
    return unescaped(this.bytes.toString(isAscii(seen) ? "latin1" : "utf8", from, to), seen);
  }
}

function isAscii(seen: number): boolean {
  return (seen & 0x80) === 0;
}

function unescaped(text: string, seen: number): string {
  return seen >= ESCAPED ? text.replaceAll('""', '"') : text;
}
