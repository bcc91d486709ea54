import type { Sql } from "../../activities/database.ts";
import type { PlannedFile } from "../../activities/statements/read_planned_file.ts";

/** The plan of one chunk, committed or not. */
export async function readChunkPlan(
  sql: Sql,
  fileId: number,
  chunkNo: number,
): Promise<PlannedFile["chunks"][number] | undefined> {
  const [chunk] = await sql<PlannedFile["chunks"]>`
    select chunk_no as "chunkNo", byte_start as "byteStart", byte_end as "byteEnd",
           first_line as "firstLine", records, checksum
    from ingest.chunks where file_id = ${fileId} and chunk_no = ${chunkNo}`;
  return chunk;
}
