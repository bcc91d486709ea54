import type { Sql } from "../../activities/database.ts";
import type { Fault } from "../../domain/faults.ts";
import type { FileState } from "../../domain/ledger.ts";

/** A range of bytes: of the record itself, or of the chunk that holds it where no more is known. */
export interface ByteRange {
  /** Offset in the file; of one that came compressed or as UTF-16: once expanded. */
  start: number;
  length: number;
  of: "record" | "chunk";
}

/** Where a record lies: its file, as the ledger has it. */
export interface Origin {
  fileId: number;
  fileName: string;
  state: FileState;
  errorCode: string | null;
  isPaused: boolean;
  duplicateOf: number | null;
  sha256: string | null;
  /** Where the bytes are now, as far as the ledger knows. */
  path: string;
  isExpanded: boolean;
  line: number;
  bytes: ByteRange | null;
  contractVersion: number;
  workflowId: string;
  runId: string | null;
  /** The chunk that holds the line; null when the file has no plan. */
  chunkNo: number | null;
  attempt: number | null;
  worker: string | null;
  committedAt: Date | null;
  /** Retention has dropped the events of the feed before; null when it never did. */
  keptFrom: Date | null;
}

/** A record that became the row of its event; `missing` is a violation of the proof. */
export interface LoadedVerdict {
  kind: "loaded";
  eventId: string;
  eventTime: Date;
  row: "there" | "dropped" | "missing";
  origin: Origin;
}

/** A record whose event was there before, or that lies in a copy of another file. */
export interface DuplicateVerdict {
  kind: "duplicate";
  eventId: string | null;
  /** Whether all bytes of its file are those of another. */
  isWholeFile: boolean;
  origin: Origin;
  /** The record that it repeats. */
  original: Origin | null;
}

/** A record in quarantine, or that was there. */
export interface RejectedVerdict {
  kind: "rejected";
  rejectId: number;
  state: "open" | "replayed" | "waived" | "withdrawn";
  reason: string | null;
  faults: Fault[];
  isCorrected: boolean;
  /** What came of it by a replay. */
  replayedAs: { kind: "loaded" | "duplicate"; eventId: string } | null;
  origin: Origin;
}

/** Why there is no such record. */
export type NoneVerdict =
  | {
    kind: "none";
    why: "header" | "not_yet" | "not_loaded" | "no_record";
    origin: Origin;
    /** The file with the same bytes in which it was looked for. */
    original: Origin | null;
  }
  | { kind: "none"; why: "unknown_file"; file: string }
  | {
    kind: "none";
    why: "never_seen";
    eventId: string;
    filesUnderWay: number;
    /** Failed, cancelled and unloaded files: the ledger does not know their records. */
    filesWithoutRecords: number;
    keptFrom: Date | null;
  };

/** What the ledger says of a record. */
export type Verdict = LoadedVerdict | DuplicateVerdict | RejectedVerdict | NoneVerdict;

/** Whoever lands a file a hundred times knows why after a few. */
const MOST = 20;

/**
 * All that became of an event: the row it is, the records that repeat it, and the rejects that name it.
 *
 * @param sql As operator: where a reject cannot be told apart into columns, its id stands in its raw bytes only.
 * @param eventId In lower case.
 */
export async function whyEvent(sql: Sql, eventId: string): Promise<Verdict[]> {
  const loaded = await loadedEvent(sql, eventId);
  const copies = await sql<{ fileId: number; line: number }[]>`
    select file_id as "fileId", line_number as line from ingest.duplicates
    where event_id = ${eventId} order by file_id, line_number limit ${MOST}`;
  const repeated = copies.map(({ fileId, line }) => duplicateAt(sql, { fileId, line, eventId }));
  const rejects = await rejectsOf(sql, eventId);
  const found: Verdict[] = [...loaded, ...await Promise.all(repeated)];
  // What was taken out with its file matters to nobody who has it from elsewhere.
  const live = rejects.filter(({ state }) => state !== "withdrawn");
  const shown = found.length + live.length > 0 ? live : rejects;
  found.push(...await Promise.all(shown.map((reject) => rejectedOf(sql, reject))));
  return found.length > 0 ? found : [await neverSeen(sql, eventId)];
}

/**
 * What became of the record at a line; of a record of several lines, its first is the one that counts.
 *
 * @returns One verdict, or more when one leads to another.
 */
export async function whyLine(sql: Sql, fileId: number, line: number): Promise<Verdict[]> {
  const [reject] = await sql<RejectRow[]>`
    select ${rejectColumns(sql)} from ingest.rejects r
    where r.file_id = ${fileId} and r.line_number = ${line}
    order by r.reject_id desc limit 1`;
  const rejected = reject === undefined ? [] : [await rejectedOf(sql, reject)];
  const [key] = await sql<{ eventId: string }[]>`
    select event_id as "eventId" from ingest.event_keys
    where file_id = ${fileId} and line_number = ${line}`;
  if (key !== undefined) return [...await loadedEvent(sql, key.eventId), ...rejected];
  const [copy] = await sql<{ eventId: string }[]>`
    select event_id as "eventId" from ingest.duplicates
    where file_id = ${fileId} and line_number = ${line}`;
  if (copy !== undefined) {
    return [await duplicateAt(sql, { fileId, line, eventId: copy.eventId }), ...rejected];
  }
  return rejected.length > 0 ? rejected : await whyNone(sql, await originOf(sql, fileId, line));
}

/** Of a line at which no record of its file was handled. */
async function whyNone(sql: Sql, origin: Origin): Promise<Verdict[]> {
  const { state, line, duplicateOf } = origin;
  const none = (why: "header" | "not_yet" | "not_loaded" | "no_record"): Verdict[] => [
    { kind: "none", why, origin, original: null },
  ];
  if (line === 1 && origin.errorCode === null) return none("header");
  if (state === "duplicate" && duplicateOf !== null) {
    return await whyInOriginal(sql, origin, duplicateOf);
  }
  if (state === "unloading") return none("not_yet");
  if (state === "loading") return none(origin.committedAt === null ? "not_yet" : "no_record");
  return none(state === "loaded" ? "no_record" : "not_loaded");
}

/** Equal bytes: what the line is there, it is here. */
async function whyInOriginal(sql: Sql, origin: Origin, duplicateOf: number): Promise<Verdict[]> {
  const there = await whyLine(sql, duplicateOf, origin.line);
  const [first] = there;
  if (first?.kind === "none" && "origin" in first) {
    return [{ ...first, origin, original: first.original ?? first.origin }];
  }
  const eventId = first !== undefined && "eventId" in first ? first.eventId : null;
  const original = await originOf(sql, duplicateOf, origin.line);
  return [{ kind: "duplicate", eventId, isWholeFile: true, origin, original }, ...there];
}

async function loadedEvent(sql: Sql, eventId: string): Promise<LoadedVerdict[]> {
  const [key] = await sql<{ fileId: number; line: number; eventTime: Date; isThere: boolean }[]>`
    select k.file_id as "fileId", k.line_number as line, k.event_time as "eventTime",
           exists (select from shop.events e
                   where e.event_time = k.event_time and e.event_id = k.event_id) as "isThere"
    from ingest.event_keys k where k.event_id = ${eventId}`;
  if (key === undefined) return [];
  const { fileId, line, eventTime, isThere } = key;
  const origin = await originOf(sql, fileId, line);
  const isDropped = origin.keptFrom !== null && eventTime < origin.keptFrom;
  const row = isThere ? "there" : isDropped ? "dropped" : "missing";
  return [{ kind: "loaded", eventId, eventTime, row, origin }];
}

async function duplicateAt(
  sql: Sql,
  { fileId, line, eventId }: { fileId: number; line: number; eventId: string },
): Promise<DuplicateVerdict> {
  const [first] = await loadedEvent(sql, eventId);
  return {
    kind: "duplicate",
    eventId,
    isWholeFile: false,
    origin: await originOf(sql, fileId, line),
    original: first?.origin ?? null,
  };
}

type RejectRow = Omit<RejectedVerdict, "kind" | "origin" | "replayedAs"> & {
  fileId: number;
  line: number;
  byteStart: number;
  byteLength: number;
  contractVersion: number;
};

function rejectColumns(sql: Sql) {
  return sql`
    r.reject_id as "rejectId", r.file_id as "fileId", r.line_number as line, r.state, r.reason, r.faults,
    r.corrected is not null as "isCorrected", r.byte_start as "byteStart", r.byte_length as "byteLength",
    r.contract_version as "contractVersion"`;
}

/** Rejects that name an event: in their column, or, where they or their correction have none, in their bytes. */
async function rejectsOf(sql: Sql, eventId: string): Promise<RejectRow[]> {
  return [
    ...await sql<RejectRow[]>`
      with named as (
        select n.reject_id from ingest.rejects n where n.event_id = ${eventId}
        union
        select n.reject_id from ingest.rejects n
        where n.event_id is null and position(${eventId} in lower(encode(n.raw, 'escape'))) > 0
        union
        select n.reject_id from ingest.rejects n
        where n.corrected is not null
          and position(${eventId} in lower(encode(n.raw || n.corrected, 'escape'))) > 0
      )
      select ${rejectColumns(sql)}
      from named join ingest.rejects r using (reject_id)
      order by r.reject_id limit ${MOST}`,
  ];
}

async function rejectedOf(
  sql: Sql,
  { fileId, line, byteStart, byteLength, contractVersion, ...reject }: RejectRow,
): Promise<RejectedVerdict> {
  const [became] = reject.state !== "replayed"
    ? []
    : await sql<NonNullable<RejectedVerdict["replayedAs"]>[]>`
    select 'loaded' as kind, event_id as "eventId" from ingest.event_keys
    where file_id = ${fileId} and line_number = ${line}
    union all
    select 'duplicate', event_id from ingest.duplicates
    where file_id = ${fileId} and line_number = ${line}`;
  const bytes = { start: byteStart, length: byteLength, of: "record" as const };
  const origin = { ...await originOf(sql, fileId, line), bytes, contractVersion };
  return { kind: "rejected", ...reject, replayedAs: became ?? null, origin };
}

async function neverSeen(sql: Sql, eventId: string): Promise<NoneVerdict> {
  const [searched] = await sql<
    { filesUnderWay: number; filesWithoutRecords: number; keptFrom: Date | null }[]
  >`
    select count(*) filter (where f.state in ('loading', 'unloading')) as "filesUnderWay",
           count(*) filter (where f.state in ('failed', 'cancelled', 'unloaded')) as "filesWithoutRecords",
           (select max(h.events_from) from ingest.horizon h where h.events_from > ${NEVER_DROPPED}) as "keptFrom"
    from ingest.files f`;
  return { kind: "none", why: "never_seen", eventId, ...searched! };
}

/** The horizon of a feed that retention never touched. */
const NEVER_DROPPED = "2000-01-01 00:00:00+00";

/** The file and chunk of a line. */
async function originOf(sql: Sql, fileId: number, line: number): Promise<Origin> {
  const [origin] = await sql<Origin[]>`
    select f.file_id as "fileId", f.file_name as "fileName", f.state, f.error_code as "errorCode",
           f.paused_at is not null as "isPaused", f.duplicate_of as "duplicateOf", f.sha256,
           coalesce(f.archive_path, f.path) as path,
           coalesce((f.dialect ->> 'expanded')::boolean, false) as "isExpanded", ${line}::integer as line,
           case when c.chunk_no is not null then
             json_build_object('start', c.byte_start, 'length', c.byte_end - c.byte_start, 'of', 'chunk')
           end as bytes,
           f.contract_version as "contractVersion", f.workflow_id as "workflowId", f.run_id as "runId",
           c.chunk_no as "chunkNo", c.attempt, c.worker, c.committed_at as "committedAt",
           nullif(h.events_from, ${NEVER_DROPPED}) as "keptFrom"
    from ingest.files f
    join ingest.horizon h on h.feed = f.feed
    left join lateral (
      select x.chunk_no, x.byte_start, x.byte_end, x.attempt, x.worker, x.committed_at
      from ingest.chunks x
      where x.file_id = f.file_id and x.first_line <= ${line}
      order by x.chunk_no desc
      limit 1
    ) c on true
    where f.file_id = ${fileId}`;
  return origin!;
}
