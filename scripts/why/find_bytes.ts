import type { Sql } from "../../activities/database.ts";
import { openVersion } from "../../activities/open_version.ts";
import { readPlannedChunk } from "../../activities/read_planned_chunk.ts";
import { readPlannedFile } from "../../activities/statements/read_planned_file.ts";
import type { Contract } from "../../domain/contract.ts";
import type { ByteRange, Origin, Verdict } from "../statements/why.ts";

/**
 * The ledger knows the chunk of a record that was loaded. Where its file lies here as it was loaded, the chunk is read
 * once more, and tells the record's own bytes.
 */
export async function findBytes(
  sql: Sql,
  contract: Contract,
  verdict: Verdict,
): Promise<Verdict> {
  if (verdict.kind !== "loaded" && verdict.kind !== "duplicate") return verdict;
  const origin = await refine(sql, contract, verdict.origin);
  if (verdict.kind === "loaded") return { ...verdict, origin };
  const original = verdict.original && await refine(sql, contract, verdict.original);
  return { ...verdict, origin, original };
}

async function refine(sql: Sql, contract: Contract, origin: Origin): Promise<Origin> {
  if (origin.bytes?.of !== "chunk" || origin.isExpanded) return origin;
  // Whatever keeps it from being read, the chunk is known.
  const bytes = await readRecord(sql, contract, origin).catch(() => undefined);
  return bytes === undefined ? origin : { ...origin, bytes };
}

async function readRecord(
  sql: Sql,
  contract: Contract,
  { fileId, chunkNo, line }: Origin,
): Promise<ByteRange | undefined> {
  const file = await readPlannedFile(sql, fileId, {
    firstChunk: chunkNo!,
    endChunk: chunkNo! + 1,
    withCommitted: true,
  });
  const [chunk] = file.chunks;
  const opened = await openVersion(file);
  if (chunk === undefined || "fault" in opened) return undefined;
  try {
    const { batch } = await readPlannedChunk(opened.handle, { file, chunk, contract });
    const { lines, byteStarts, byteLengths } = batch.accepted;
    const at = lines.items().indexOf(line);
    if (at >= 0) return { start: byteStarts.at(at), length: byteLengths.at(at), of: "record" };
    // Loaded by a correction.
    const reject = batch.rejects.find((reject) => reject.line === line);
    return reject && { start: reject.byteStart, length: reject.byteLength, of: "record" };
  } finally {
    await opened.handle.close();
  }
}
