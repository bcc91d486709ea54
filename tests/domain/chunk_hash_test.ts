import { deepEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { ChunkHash } from "../../domain/_chunk_hash.ts";

Deno.test({
  name: "ChunkHash hashes chunks of any length in any pieces, whatever becomes of these",
  permissions: "none",
  async fn() {
    const chunk = fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 6 }), async (chunks) => {
        const expected = chunks.map((pieces) => {
          const hash = createHash("sha256");
          for (const piece of pieces) hash.update(piece);
          return hash.digest("hex");
        });
        const hash = new ChunkHash(20);
        const hashed = chunks.map((pieces) => {
          for (const piece of pieces) {
            hash.update(piece);
            piece.fill(0);
          }
          return hash.end();
        });
        deepEqual(await Promise.all(hashed), expected);
      }),
    );
  },
});
