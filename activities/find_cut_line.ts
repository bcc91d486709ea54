import type { FileHandle } from "node:fs/promises";
import type { Contract } from "../domain/contract.ts";
import { lineOfByte } from "../domain/line_of_byte.ts";
import { readPlannedChunk } from "./read_planned_chunk.ts";
import type { PlannedFile } from "./statements/read_planned_file.ts";

/**
 * Finds the first line of the record that goes on behind the end of the version which a file grew from.
 *
 * @param handle The bytes that the chunks of the newer file are planned in.
 * @param options.file The newer file, planned.
 * @param options.end Offset behind the last byte of the older version.
 * @returns null when the older version had that record whole, but for a line end, or was cut within or right behind its
 * header.
 */
export async function findCutLine(
  handle: FileHandle,
  { file, contract, end }: { file: PlannedFile; contract: Contract; end: number },
): Promise<number | null> {
  const chunk = file.chunks.find(({ byteStart, byteEnd }) => byteStart <= end && end < byteEnd);
  if (chunk === undefined) return null;
  const { batch } = await readPlannedChunk(handle, { file, chunk, contract });
  return lineOfByte(batch, end);
}
