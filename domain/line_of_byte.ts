import type { ChunkBatch } from "./read_chunk.ts";

/**
 * First line of the record that holds a byte, in the file that the chunk is of; null when the byte is a line end behind a
 * record, or of a blank line.
 *
 * @param batch The chunk that the byte stands in, as it was read.
 * @param offset Absolute offset of the byte.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mapHeader } from "./map_header.ts";
 * import { readChunk } from "./read_chunk.ts";
 * import { SHOP_EVENTS } from "./shop_events.ts";
 *
 * const header = mapHeader(SHOP_EVENTS, SHOP_EVENTS.columns.map(({ name }) => name));
 * assert.ok(header.ok);
 * const batch = readChunk(new TextEncoder().encode('a,"b\nc"\nd\n'), {
 *   contract: SHOP_EVENTS,
 *   dialect: { delimiter: ",", bomBytes: 0 },
 *   mapping: header.mapping,
 *   discoveredAt: 0,
 *   firstLine: 2,
 *   byteStart: 100,
 * });
 * assert.deepEqual([104, 106, 107, 108].map((byte) => lineOfByte(batch, byte)), [2, 2, null, 4]);
 * ```
 */
export function lineOfByte({ accepted, rejects }: ChunkBatch, offset: number): number | null {
  const { lines, byteStarts, byteLengths } = accepted;
  const row = byteStarts.items().findIndex((byteStart, row) =>
    byteStart <= offset && offset < byteStart + byteLengths.at(row)
  );
  if (row >= 0) return lines.at(row);
  const reject = rejects.find(({ byteStart, byteLength }) =>
    byteStart <= offset && offset < byteStart + byteLength
  );
  return reject?.line ?? null;
}
