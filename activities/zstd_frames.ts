import type { FileHandle } from "node:fs/promises";

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

/** Bytes of a file, `end` exclusive. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * Finds the frames of a zstd file, reading only headers. The decompressor stops in silence after the first frame, and
 * takes a file that was cut for one that ends there; both would lose events.
 *
 * @param handle The file.
 * @param sizeBytes Its size.
 * @returns Ranges of the frames that hold data; null when the file is not made of whole frames.
 * @see RFC 8878, section 3.1 (frames) and 3.1.1.2 (blocks)
 */
export async function findZstdFrames(
  handle: FileHandle,
  sizeBytes: number,
): Promise<ByteRange[] | null> {
  const bytes = new Uint8Array(18);
  const view = new DataView(bytes.buffer);
  const readAt = async (offset: number) => {
    bytes.fill(0);
    await handle.read(bytes, 0, bytes.length, offset);
  };
  const frames: ByteRange[] = [];
  let offset = 0;
  while (offset < sizeBytes) {
    const start = offset;
    await readAt(offset);
    const magic = view.getUint32(0, true);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      offset += 8 + view.getUint32(4, true);
      continue;
    }
    if (magic !== FRAME_MAGIC) return null;
    const descriptor = view.getUint8(4);
    offset += frameHeaderLength(descriptor);
    for (let isLast = false; !isLast; offset += 3 + blockLength(view)) {
      if (offset + 3 > sizeBytes) return null;
      await readAt(offset);
      isLast = (view.getUint8(0) & 1) === 1;
    }
    const hasChecksum = (descriptor & 4) !== 0;
    if (hasChecksum) offset += 4;
    frames.push({ start, end: offset });
  }
  return offset === sizeBytes && frames.length > 0 ? frames : null;
}

function frameHeaderLength(descriptor: number): number {
  const isSingleSegment = (descriptor >> 5 & 1) === 1;
  const dictionaryId = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  return 5 + (isSingleSegment ? 0 : 1) + dictionaryId + contentSize;
}

/** Bytes behind a block's header of 3 bytes; a run-length block stores one. */
function blockLength(view: DataView): number {
  const header = view.getUint32(0, true) & 0xffffff;
  return (header >> 1 & 3) === 1 ? 1 : header >> 3;
}
