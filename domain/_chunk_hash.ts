import { createHash, type Hash } from "node:crypto";
import { sha256Aside } from "./sha256_aside.ts";

/**
 * Hashes one chunk after the other from pieces of their bytes. The first one, in a small file the
 * only one, is hashed as it comes, and so is one too long to be kept. The others are kept, and
 * hashed by another thread while the file is read on.
 */
export class ChunkHash {
  readonly #mostKept: number;
  #kept: Uint8Array<ArrayBuffer> | undefined;
  #keptBytes = 0;
  /** Of a chunk that is hashed as it comes. */
  #hash: Hash | undefined = createHash("sha256");

  /** @param mostKept Bytes of the longest chunk that is kept. */
  constructor(mostKept: number) {
    this.#mostKept = mostKept;
  }

  /** Takes the next bytes of the chunk, which the caller may overwrite afterwards. */
  update(bytes: Uint8Array): void {
    if (this.#hash === undefined) {
      this.#kept ??= new Uint8Array(this.#mostKept);
      const keptBytes = this.#keptBytes + bytes.length;
      if (keptBytes <= this.#mostKept) {
        this.#kept.set(bytes, this.#keptBytes);
        this.#keptBytes = keptBytes;
        return;
      }
      this.#hash = createHash("sha256").update(this.#kept.subarray(0, this.#keptBytes));
    }
    this.#hash.update(bytes);
  }

  /**
   * Ends the chunk: the next bytes are of another one, and need not wait for the result.
   *
   * @returns The sha-256 of its bytes, in hex.
   */
  async end(): Promise<string> {
    const hash = this.#hash;
    const kept = this.#kept?.subarray(0, this.#keptBytes) ?? new Uint8Array(0);
    this.#hash = undefined;
    this.#keptBytes = 0;
    if (hash !== undefined) return hash.digest("hex");
    return await sha256Aside(kept);
  }
}
