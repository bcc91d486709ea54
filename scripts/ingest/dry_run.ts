import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sql } from "../../activities/database.ts";
import { beginsWith } from "../../activities/begins_with.ts";
import { findCutLine } from "../../activities/find_cut_line.ts";
import { expandFile } from "../../activities/expand_file.ts";
import { planFile } from "../../activities/plan_file.ts";
import { readPlannedChunk } from "../../activities/read_planned_chunk.ts";
import type { Contract } from "../../domain/contract.ts";
import { allowedRejects, type ErrorBudget } from "../../domain/error_budget.ts";
import { FAULT_CODES, type FileFault, type FileFaultCode } from "../../domain/faults.ts";
import { judgeHeader } from "../../domain/judge_header.ts";
import type { Counts } from "../../domain/ledger.ts";
import type { FilePlan } from "../../domain/plan_chunks.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import { renderFileFault } from "../../domain/render_fault.ts";
import {
  findCutEvents,
  findLoadedEvents,
  findOlderVersion,
  findSameContent,
  type OlderVersion,
  readHorizon,
} from "../statements/what_is_loaded.ts";
import type { Source } from "./collect_sources.ts";
import { EventIndex } from "./event_index.ts";
import { type Conflict, type FaultCount, type OtherFile, Tally } from "./tally.ts";

/** What loading a file would do. */
export interface DryRun extends Readonly<Counts> {
  readonly source: Source;
  /** The state that the file would end in. */
  readonly state: "loaded" | "duplicate" | "failed";
  /** Why it would not be loaded as a whole, and the same in a sentence. */
  readonly errorCode?: FileFaultCode;
  readonly failure?: string;
  /** Most frequent first; also of a file that its rejects would fail. */
  readonly faults: readonly FaultCount[];
  /** The first ones. */
  readonly conflicts: readonly Conflict[];
  /** The file that has its bytes already. */
  readonly duplicateOf?: OtherFile;
  /** The older version that landed under its name. */
  readonly supersedes?: OtherFile;
}

/** What a dry run goes by: that of a load. */
export interface DryRunOptions {
  readonly contract: Contract;
  readonly errorBudget: ErrorBudget;
  readonly chunkBytes: number;
  readonly maxExpandedBytes: number;
  /** The database to compare with, as reader; without one, an empty one. */
  readonly sql?: Sql;
  /** Where the files would land, if it is there already. */
  readonly inboxId?: string;
}

/**
 * Reads, validates and compares files by the same steps as loading them one after the other, and writes nothing. It
 * remembers the events of the files before, so that duplicates and conflicts among them show.
 */
export class DryLoad {
  readonly #options: DryRunOptions;
  readonly #events = new EventIndex();
  readonly #sources: Source[] = [];
  /** Those that would be loaded, by sha-256. */
  readonly #contents = new Map<string, Source>();

  constructor(options: DryRunOptions) {
    this.#options = options;
  }

  /**
   * Says what would become of the next file.
   *
   * @param onProgress gets the share of the file that is done, from 0 to 1
   */
  async read(source: Source, onProgress: (share: number) => void = () => {}): Promise<DryRun> {
    const landed = await open(source.path, "r");
    // Made only if the file has to be expanded.
    const spool = join(tmpdir(), `clickledger-dry-${crypto.randomUUID()}`);
    const target = join(spool, "expanded.csv");
    try {
      const expanded = await expandFile(landed, {
        name: source.name,
        target,
        maxBytes: this.#options.maxExpandedBytes,
        onProgress: () => {},
      });
      if (expanded === null) return await this.#readText(source, landed, { landed, onProgress });
      if ("fault" in expanded) return failed(source, { code: expanded.fault });
      const text = await open(target, "r");
      try {
        return await this.#readText(source, text, {
          ...{ landed, onProgress },
          sha256: expanded.sha256,
        });
      } finally {
        await text.close();
      }
    } finally {
      await landed.close();
      await Deno.remove(spool, { recursive: true }).catch(() => {});
    }
  }

  async #readText(
    source: Source,
    handle: FileHandle,
    { landed, sha256, onProgress }: {
      landed: FileHandle;
      sha256?: string;
      onProgress: (share: number) => void;
    },
  ): Promise<DryRun> {
    const { contract, chunkBytes, sql, inboxId } = this.#options;
    const plan = await planFile(handle, { chunkBytes });
    const verdict = judgeHeader(contract, plan.header);
    if (!verdict.ok) return failed(source, verdict.fault);

    const content = sha256 ?? plan.sha256;
    const same = await this.#findSameContent(content);
    if (same !== undefined && !same.isUnloading) {
      const { isUnloading: _, ...duplicateOf } = same;
      return { ...nothing(source), state: "duplicate", duplicateOf };
    }
    const older = sql && inboxId !== undefined
      ? await findOlderVersion(sql, { inboxId, name: source.name })
      : undefined;
    const file = plannedFile(source, { plan, header: verdict.mapping.header, contract });
    const outcome = await this.#load(source, handle, {
      file,
      onProgress,
      ...(same?.fileId !== undefined && { except: same.fileId }),
      gone: older === undefined ? NOTHING : await this.#findGone(older, { file, handle, landed }),
    });
    if (outcome.state === "loaded") this.#contents.set(content, source);
    return {
      ...outcome,
      ...(older && { supersedes: { fileId: older.fileId, name: older.name } }),
    };
  }

  /** The events that a load would take out of the version before, because its last record was cut. */
  async #findGone(
    { fileId, isCut, end, ...older }: OlderVersion,
    { file, handle, landed }: { file: PlannedFile; handle: FileHandle; landed: FileHandle },
  ): Promise<ReadonlySet<string>> {
    const { contract, sql } = this.#options;
    if (!sql || !isCut || older.sizeBytes >= (await landed.stat()).size) return NOTHING;
    if (!await beginsWith(landed, older)) return NOTHING;
    const line = await findCutLine(handle, { file, contract, end });
    return line === null ? NOTHING : new Set(await findCutEvents(sql, fileId, line));
  }

  async #findSameContent(
    sha256: string,
  ): Promise<OtherFile & { isUnloading: boolean } | undefined> {
    const before = this.#contents.get(sha256);
    if (before !== undefined) return { name: before.name, isUnloading: false };
    const { sql, contract: { feed } } = this.#options;
    return sql && await findSameContent(sql, { feed, sha256 });
  }

  async #load(
    source: Source,
    handle: FileHandle,
    { file, except, gone, onProgress }: {
      file: PlannedFile;
      except?: number;
      gone: ReadonlySet<string>;
      onProgress: (share: number) => void;
    },
  ): Promise<DryRun> {
    const { contract, errorBudget, sql } = this.#options;
    const horizon = sql ? await readHorizon(sql, contract.feed) : 0;
    const tally = new Tally();
    const before = this.#events.size;
    this.#sources.push(source);
    for (const chunk of file.chunks) {
      const { batch } = await readPlannedChunk(handle, { file, chunk, contract });
      for (const { line, faults } of batch.rejects) tally.reject(line, faults);
      await this.#takeEvents(batch, tally, {
        ...{ horizon, gone },
        ...(except !== undefined && { except }),
      });
      onProgress(chunk.byteEnd / file.chunks.at(-1)!.byteEnd);
    }
    const { counts, counted, conflicts } = tally;
    const faults = tally.faults();
    const allowed = allowedRejects(errorBudget, counts.records);
    if (counted <= allowed) {
      return { source, state: "loaded", ...counts, faults, conflicts };
    }
    this.#events.truncate(before);
    const { message, advice } = FAULT_CODES.error_budget;
    const failure = `Cannot load ${source.path}: ${message} (${counted} of ${counts.records}, ` +
      `and at most ${allowed} are allowed). ${advice}`;
    return { ...failed(source, { code: "error_budget" }), failure, faults, conflicts };
  }

  /** The same questions as the chunk transaction asks, in the order of the file. */
  async #takeEvents(
    { accepted }: ChunkBatch,
    tally: Tally,
    { horizon, gone, except }: { horizon: number; gone: ReadonlySet<string>; except?: number },
  ): Promise<void> {
    const { contract, sql } = this.#options;
    const column = contract.columns.findIndex(({ name }) => name === "event_id");
    const ids = accepted.columns[column]!.toArray() as string[];
    const loaded = sql &&
      await findLoadedEvents(sql, ids, except === undefined ? {} : { except });
    const file = this.#sources.length - 1;
    for (const [row, id] of ids.entries()) {
      const line = accepted.lines.at(row);
      const contentHash = accepted.contentHashes.at(row);
      if (accepted.eventMicros.at(row) < horizon) {
        tally.reject(line, [{ code: "before_horizon" }]);
        continue;
      }
      const other = (gone.has(id) ? undefined : loaded?.get(id)) ?? this.#findSeen(id);
      if (other === undefined) {
        this.#events.add(id, { contentHash, file, line });
        tally.load();
      } else if (other.contentHash === contentHash) tally.duplicate();
      else tally.conflict(line, { ...other.file, line: other.line });
    }
  }

  #findSeen(id: string) {
    const seen = this.#events.find(id);
    if (seen === undefined) return undefined;
    return { ...seen, file: { name: this.#sources[seen.file]!.name } };
  }
}

type PlannedFile = Parameters<typeof readPlannedChunk>[1]["file"];

const NOTHING: ReadonlySet<string> = new Set();

function plannedFile(
  { name, path, sizeBytes }: Source,
  { plan, header, contract }: { plan: FilePlan; header: readonly string[]; contract: Contract },
): PlannedFile {
  return {
    fileId: 0,
    feed: contract.feed,
    fileName: name,
    identity: { path, ino: 0, sizeBytes, mtimeMs: 0, ctimeMs: 0 },
    archivePath: null,
    discoveredAt: Date.now(),
    dialect: { ...plan.dialect, expanded: false },
    header: [...header],
    hasOldEvents: false,
    chunks: plan.chunks,
  };
}

function failed(source: Source, fault: FileFault): DryRun {
  const failure = renderFileFault(fault, source.path);
  return { ...nothing(source), state: "failed", errorCode: fault.code, failure };
}

function nothing(source: Source) {
  const counts = { records: 0, loaded: 0, duplicates: 0, rejected: 0 };
  return { source, ...counts, faults: [], conflicts: [] };
}
