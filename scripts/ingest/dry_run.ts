import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { expandFile } from "../../activities/expand_file.ts";
import { planFile } from "../../activities/plan_file.ts";
import { readPlannedChunk } from "../../activities/read_planned_chunk.ts";
import type { Contract } from "../../domain/contract.ts";
import type { Fault, FileFault } from "../../domain/faults.ts";
import { mapHeader } from "../../domain/map_header.ts";
import { renderFileFault } from "../../domain/render_fault.ts";
import type { Source } from "./collect_sources.ts";

/** Of the lines that have a fault, the first few lead to the cause. */
const SHOWN_LINES = 8;

/** What loading a file would find, as far as the file alone can tell. */
export interface DryRun {
  readonly source: Source;
  readonly records: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly faults: readonly FaultCount[];
  /** Why it could not be loaded as a whole, in a sentence. */
  readonly failure?: string;
}

/** Records that share a fault. */
export interface FaultCount {
  readonly fault: Fault;
  readonly rejects: number;
  /** Of the first ones. */
  readonly lines: readonly number[];
}

/**
 * Reads and validates a file by the same steps as loading, without a database: duplicates and
 * conflicts with other events cannot show.
 *
 * @param options.onProgress gets the share of the file that is done, from 0 to 1
 */
export async function dryRun(
  source: Source,
  { contract, chunkBytes, maxExpandedBytes, onProgress }: {
    contract: Contract;
    chunkBytes: number;
    maxExpandedBytes: number;
    onProgress: (share: number) => void;
  },
): Promise<DryRun> {
  const spool = await Deno.makeTempDir({ prefix: "clickledger-dry-" });
  const landed = await open(source.path, "r");
  try {
    const expanded = await expandFile(landed, {
      name: source.name,
      target: join(spool, "expanded.csv"),
      maxBytes: maxExpandedBytes,
      onProgress: () => {},
    });
    if (expanded === null) {
      return await validate(source, landed, { contract, chunkBytes, onProgress });
    }
    if ("fault" in expanded) return failed(source, { code: expanded.fault });
    const text = await open(join(spool, "expanded.csv"), "r");
    try {
      return await validate(source, text, { contract, chunkBytes, onProgress });
    } finally {
      await text.close();
    }
  } finally {
    await landed.close();
    await Deno.remove(spool, { recursive: true });
  }
}

async function validate(
  source: Source,
  handle: FileHandle,
  { contract, chunkBytes, onProgress }: {
    contract: Contract;
    chunkBytes: number;
    onProgress: (share: number) => void;
  },
): Promise<DryRun> {
  const plan = await planFile(handle, { chunkBytes });
  const fields = plan.header?.fields ?? [];
  const mapped = mapHeader(contract, fields);
  if (plan.header === null) return failed(source, { code: "empty_file" });
  if (plan.header.fault === "invalid_utf8") return failed(source, { code: "unsupported_encoding" });
  if (plan.header.fault !== undefined) return failed(source, { code: "header_not_recognised" });
  if (!mapped.ok) return failed(source, mapped.fault);
  const file = {
    fileId: 0,
    feed: contract.feed,
    fileName: source.name,
    identity: { path: source.path, ino: 0, sizeBytes: source.sizeBytes, mtimeMs: 0, ctimeMs: 0 },
    archivePath: null,
    discoveredAt: Date.now(),
    dialect: { ...plan.dialect, expanded: false },
    header: fields,
    chunks: plan.chunks,
  };
  const faults = new Map<string, { fault: Fault; rejects: number; lines: number[] }>();
  let [records, rejected] = [0, 0];
  for (const chunk of plan.chunks) {
    const { batch } = await readPlannedChunk(handle, { file, chunk, contract });
    records += batch.records;
    rejected += batch.rejects.length;
    for (const reject of batch.rejects) countFaults(faults, reject);
    onProgress(chunk.byteEnd / plan.sizeBytes);
  }
  const counted = [...faults.values()].sort((a, b) => b.rejects - a.rejects);
  return { source, records, accepted: records - rejected, rejected, faults: counted };
}

function countFaults(
  faults: Map<string, { fault: Fault; rejects: number; lines: number[] }>,
  reject: { line: number; faults: readonly Fault[] },
): void {
  for (const fault of reject.faults) {
    const key = JSON.stringify([fault.code, fault.column, fault.expected]);
    const known = faults.get(key) ?? { fault, rejects: 0, lines: [] };
    known.rejects++;
    if (known.lines.length < SHOWN_LINES) known.lines.push(reject.line);
    faults.set(key, known);
  }
}

function failed(source: Source, fault: FileFault): DryRun {
  const failure = renderFileFault(fault, source.path);
  return { source, records: 0, accepted: 0, rejected: 0, faults: [], failure };
}
