import { ApplicationFailure } from "@temporalio/common";
import type { Contract } from "../../domain/contract.ts";
import type { Fault } from "../../domain/faults.ts";
import type { HeaderMapping } from "../../domain/map_header.ts";
import { type ChunkBatch, readChunk } from "../../domain/read_chunk.ts";
import type { CsvDialect } from "../../domain/scan_csv.ts";
import type { Sql, Transaction } from "../database.ts";
import { plainArray, textArray } from "./array_literal.ts";
import { isUncontradicted } from "./uncontradicted.ts";
import { insertEvents } from "./insert_events.ts";
import { insertKeys } from "./insert_keys.ts";
import {
  type Conflict,
  conflictOf,
  insertDuplicates,
  lockHorizon,
  splitAtHorizon,
} from "./load_chunk.ts";
import { lockRecords } from "./lock_records.ts";
import { type FaultFilter, withFault } from "./with_fault.ts";

/** A reject that may be replayed: its correction, or its bytes as they came. */
export interface OpenReject {
  rejectId: number;
  line: number;
  byteStart: number;
  byteLength: number;
  raw: Uint8Array;
  /** Whether `raw` holds only the beginning. */
  isCut: boolean;
  /** Tells one correction from another; null: none is stored. */
  correction: string | null;
}

/** Rejects that were validated again. */
export interface ValidatedAgain {
  /** Those that hold now; each at the line and place of its record. */
  batch: ChunkBatch;
  /** By position in the batch. */
  rejectIds: number[];
  /** Those that do not. */
  broken: { rejectId: number; faults: Fault[] }[];
  /** By reject: the correction that was validated. */
  corrections: Map<number, string | null>;
}

/** What one transaction did. */
export interface Replayed {
  loaded: number;
  duplicates: number;
  open: number;
  /** Rejects that were corrected meanwhile, to be validated once more. */
  changed: number[];
}

/** Open rejects of a file, by number. */
export async function listOpenRejects(
  sql: Sql,
  { fileId, after, limit, rejectId, onlyUncontradicted = false, ...fault }: {
    fileId: number;
    after: number;
    limit: number;
    rejectId?: number;
    /** Those whose conflict is over. */
    onlyUncontradicted?: boolean;
  } & FaultFilter,
): Promise<OpenReject[]> {
  return await selectOpen(
    sql,
    sql`
      r.file_id = ${fileId} and r.reject_id > ${after} and ${withFault(sql, fault)}
      and (${rejectId ?? null}::bigint is null or r.reject_id = ${rejectId ?? null})
      and ${onlyUncontradicted ? isUncontradicted(sql) : sql`true`}`,
    sql`limit ${limit}`,
  );
}

/** Those of some rejects that are open, by number. */
export async function readOpenRejects(
  sql: Sql,
  rejectIds: readonly number[],
): Promise<OpenReject[]> {
  if (rejectIds.length === 0) return [];
  return await selectOpen(sql, sql`r.reject_id = any(${plainArray(rejectIds)}::bigint[])`);
}

async function selectOpen(
  sql: Sql,
  condition: ReturnType<typeof withFault>,
  limit = sql``,
): Promise<OpenReject[]> {
  return [
    ...await sql<OpenReject[]>`
      select r.reject_id as "rejectId", r.line_number as line, r.byte_start as "byteStart",
             r.byte_length as "byteLength", coalesce(r.corrected, r.raw) as raw,
             r.raw_truncated and r.corrected is null as "isCut", md5(r.corrected) as correction
      from ingest.rejects r
      where r.state = 'open' and ${condition}
      order by r.reject_id
      ${limit}`,
  ];
}

/** Validates records as a load does, under the contract of today and the clock of their file. */
export function validateAgain(
  rejects: readonly OpenReject[],
  options: {
    contract: Contract;
    mapping: HeaderMapping;
    dialect: CsvDialect;
    discoveredAt: number;
  },
): ValidatedAgain {
  const empty = readChunk(new Uint8Array(), { ...options, firstLine: 1, byteStart: 1 });
  const corrections = new Map(rejects.map(({ rejectId, correction }) => [rejectId, correction]));
  const again: ValidatedAgain = { batch: empty, rejectIds: [], broken: [], corrections };
  for (const { rejectId, line, byteStart, byteLength, raw } of rejects) {
    // Never from 0: a byte order mark stands before a header only.
    const read = readChunk(raw, { ...options, firstLine: line, byteStart: Math.max(1, byteStart) });
    if (read.records !== 1 || read.accepted.lines.length !== 1) {
      const faults = read.rejects[0]?.faults ?? [{ code: "wrong_column_count" as const }];
      again.broken.push({ rejectId, faults });
      continue;
    }
    again.batch.accepted.pushFrom(read.accepted, 0, { byteStart, byteLength });
    again.rejectIds.push(rejectId);
  }
  again.batch.records = again.rejectIds.length;
  return again;
}

/**
 * Loads what holds now, in one transaction with the state of its rejects and the counts of its chunks and file (I1, I3).
 * Keys come before the file's row, as in the unload of another file that hands events over to this one, so that neither
 * waits for the other in turn.
 *
 * @param sql Pool of the ingest role.
 * @throws Terminal failure `NotLoaded` when the file is not loaded (any more): nothing is changed then.
 */
export function replayBatch(
  sql: Sql,
  { fileId, contract, again }: { fileId: number; contract: Contract; again: ValidatedAgain },
): Promise<Replayed> {
  return sql.begin("isolation level read committed", async (tx) => {
    await lockRecords(tx, fileId);
    refuseUnlessLoaded(fileId, await tx`select state from ingest.files where file_id = ${fileId}`);
    const horizon = await lockHorizon(tx, { contract });
    const { open, changed } = await lockOpen(tx, again.corrections);
    const { rows, late } = splitAtHorizon(again.batch.accepted.eventMicros.items(), horizon);
    const part = { fileId, contract, batch: again.batch };
    const found = await insertKeys(
      tx,
      part,
      rows.filter((row) => open.has(again.rejectIds[row]!)),
    );
    await insertEvents(tx, part, found.fresh);
    await insertDuplicates(tx, part, found.duplicates);
    const idsOf = (positions: readonly number[]) => positions.map((row) => again.rejectIds[row]!);
    const linesOf = (positions: readonly number[]) =>
      positions.map((row) => again.batch.accepted.lines.at(row));
    await markReplayed(tx, idsOf([...found.fresh, ...found.duplicates]));
    const broken = [
      ...again.broken.filter(({ rejectId }) => open.has(rejectId)),
      ...idsOf(late).filter((id) => open.has(id)).map((rejectId) => ({
        rejectId,
        faults: [{ code: "before_horizon" as const }],
      })),
      ...found.conflicting.map((row) => ({
        rejectId: again.rejectIds[row]!,
        faults: [{ code: "conflicting_event" as const }],
        conflict: conflictOf(part, row),
      })),
    ];
    await markBroken(tx, broken, contract.version);
    refuseUnlessLoaded(
      fileId,
      await tx`select state from ingest.files where file_id = ${fileId} for no key update`,
    );
    await moveCounts(tx, fileId, {
      loaded: linesOf(found.fresh),
      duplicates: linesOf(found.duplicates),
    });
    return {
      loaded: found.fresh.length,
      duplicates: found.duplicates.length,
      open: broken.length,
      changed,
    };
  }) as Promise<Replayed>;
}

/** Those that nobody has replayed, waived or withdrawn meanwhile, and of these those that somebody has corrected. */
async function lockOpen(
  tx: Transaction,
  corrections: ReadonlyMap<number, string | null>,
): Promise<{ open: Set<number>; changed: number[] }> {
  const rows = await tx<{ reject_id: number; correction: string | null }[]>`
    select reject_id, md5(corrected) as correction from ingest.rejects
    where reject_id = any(${plainArray([...corrections.keys()])}::bigint[]) and state = 'open'
    order by reject_id
    for update`;
  const open = new Set<number>();
  const changed: number[] = [];
  for (const { reject_id, correction } of rows) {
    if (corrections.get(reject_id) === correction) open.add(reject_id);
    else changed.push(reject_id);
  }
  return { open, changed };
}

/** Read first to spare the work, and again under the lock that makes it certain. */
function refuseUnlessLoaded(fileId: number, [file]: readonly { state?: string }[]): void {
  if (file?.state === "loaded") return;
  throw ApplicationFailure.nonRetryable(
    `Cannot replay rejects of file ${fileId}: it is ${file?.state ?? "gone"}`,
    "NotLoaded",
  );
}

async function markReplayed(tx: Transaction, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await tx`
    update ingest.rejects set state = 'replayed', resolved_at = now()
    where reject_id = any(${plainArray(ids)}::bigint[])`;
}

/** They stay open, with what is wrong with them now. */
async function markBroken(
  tx: Transaction,
  broken: readonly { rejectId: number; faults: Fault[]; conflict?: Conflict }[],
  contractVersion: number,
): Promise<void> {
  if (broken.length === 0) return;
  await tx`
    update ingest.rejects r
    set faults = b.faults, event_id = coalesce(b.event_id, r.event_id), content_hash = b.content_hash,
        contract_version = ${contractVersion}
    from unnest(${plainArray(broken.map(({ rejectId }) => rejectId))}::bigint[],
                ${textArray(broken.map(({ faults }) => JSON.stringify(faults)))}::jsonb[],
                ${plainArray(broken.map(({ conflict }) => conflict?.eventId ?? null))}::uuid[],
                ${
    plainArray(broken.map(({ conflict }) => conflict?.contentHash ?? null))
  }::bigint[])
      as b (reject_id, faults, event_id, content_hash)
    where r.reject_id = b.reject_id`;
}

async function moveCounts(
  tx: Transaction,
  fileId: number,
  { loaded, duplicates }: { loaded: readonly number[]; duplicates: readonly number[] },
): Promise<void> {
  if (loaded.length + duplicates.length === 0) return;
  await tx`
    with moved as (
      select (select max(c.chunk_no) from ingest.chunks c
              where c.file_id = ${fileId} and c.first_line <= m.line) as chunk_no,
             count(*) filter (where m.is_loaded)     as loaded,
             count(*) filter (where not m.is_loaded) as duplicates
      from (
        select l.line, true as is_loaded from unnest(${plainArray(loaded)}::integer[]) as l (line)
        union all
        select d.line, false from unnest(${plainArray(duplicates)}::integer[]) as d (line)
      ) m
      group by 1
    )
    update ingest.chunks c
    set loaded = c.loaded + m.loaded, duplicates = c.duplicates + m.duplicates,
        rejected = c.rejected - m.loaded - m.duplicates
    from moved m
    where c.file_id = ${fileId} and c.chunk_no = m.chunk_no`;
  await tx`
    update ingest.files
    set loaded = loaded + ${loaded.length}, duplicates = duplicates + ${duplicates.length},
        rejected = rejected - ${loaded.length + duplicates.length}
    where file_id = ${fileId}`;
}
