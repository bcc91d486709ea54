import type { Sql } from "../../activities/database.ts";
import { plainArray } from "../../activities/statements/array_literal.ts";
import {
  type FaultFilter,
  faultPattern,
  withFault,
} from "../../activities/statements/with_fault.ts";
import type { Fault } from "../../domain/faults.ts";

/** Which rejects are meant; null leaves it open. */
export interface RejectFilter extends FaultFilter {
  readonly fileId: number | null;
  readonly state: string | null;
}

/** Rejects that share a fault. */
export interface RejectGroup {
  code: string;
  column: string;
  records: number;
  files: number;
  /** An example. */
  rejectId: number;
}

/** One reject without its bytes. */
export interface ListedReject {
  rejectId: number;
  fileId: number;
  fileName: string;
  line: number;
  state: string;
  faults: Fault[];
  reason: string | null;
}

/** One reject with all that a person needs to mend it. */
export interface RejectDetails extends ListedReject {
  feed: string;
  inboxId: string;
  raw: Uint8Array;
  isCut: boolean;
  corrected: Uint8Array | null;
  byteStart: number;
  byteLength: number;
  contractVersion: number;
  header: string[];
  delimiter: string;
  createdAt: Date;
}

/** Rejects by fault and column, most frequent first; a record with two faults counts in both. */
export async function groupRejects(sql: Sql, filter: RejectFilter): Promise<RejectGroup[]> {
  return [
    ...await sql<RejectGroup[]>`
      select x.fault ->> 'code' as code, coalesce(x.fault ->> 'column', '') as column, count(*) as records,
             count(distinct r.file_id) as files, min(r.reject_id) as "rejectId"
      from ingest.rejects r, jsonb_array_elements(r.faults) as x (fault)
      where ${matches(sql, filter)}
        and x.fault @> ${faultPattern(sql, filter)}
      group by 1, 2
      order by count(*) desc, 1, 2`,
  ];
}

/** Rejects one by one, newest first. */
export async function listRejects(
  sql: Sql,
  filter: RejectFilter,
  limit: number,
): Promise<ListedReject[]> {
  return [
    ...await sql<ListedReject[]>`
      select r.reject_id as "rejectId", r.file_id as "fileId", f.file_name as "fileName",
             r.line_number as line, r.state, r.faults, r.reason
      from ingest.rejects r join ingest.files f on f.file_id = r.file_id
      where ${matches(sql, filter)}
      order by r.reject_id desc
      limit ${limit}`,
  ];
}

/** One reject; the role must be one that may see raw bytes. */
export async function readReject(sql: Sql, rejectId: number): Promise<RejectDetails | undefined> {
  const [reject] = await sql<RejectDetails[]>`
    select r.reject_id as "rejectId", r.file_id as "fileId", f.file_name as "fileName",
           r.line_number as line, r.state, r.faults, r.reason, f.feed, f.inbox_id as "inboxId", r.raw,
           r.raw_truncated as "isCut", r.corrected, r.byte_start as "byteStart",
           r.byte_length as "byteLength", r.contract_version as "contractVersion", f.header,
           f.dialect ->> 'delimiter' as delimiter, r.created_at as "createdAt"
    from ingest.rejects r join ingest.files f on f.file_id = r.file_id
    where r.reject_id = ${rejectId}`;
  return reject;
}

/** The file of a reject, and whether the reject is open. */
export async function fileOfReject(
  sql: Sql,
  rejectId: number,
): Promise<{ fileId: number; inboxId: string; state: string } | undefined> {
  const [reject] = await sql<{ fileId: number; inboxId: string; state: string }[]>`
    select r.file_id as "fileId", f.inbox_id as "inboxId", r.state
    from ingest.rejects r join ingest.files f on f.file_id = r.file_id
    where r.reject_id = ${rejectId}`;
  return reject;
}

/** Files with open rejects of a kind, in the order of their numbers. */
export async function filesToReplay(
  sql: Sql,
  filter: RejectFilter,
): Promise<{ fileId: number; inboxId: string; rejects: number }[]> {
  return [
    ...await sql<{ fileId: number; inboxId: string; rejects: number }[]>`
      select r.file_id as "fileId", f.inbox_id as "inboxId", count(*) as rejects
      from ingest.rejects r join ingest.files f on f.file_id = r.file_id
      where ${matches(sql, { ...filter, state: "open" })} and f.state = 'loaded'
      group by 1, 2
      order by 1`,
  ];
}

/** Numbers of the open rejects of a kind. */
export async function openRejectIds(sql: Sql, filter: RejectFilter): Promise<number[]> {
  const rows = await sql<{ rejectId: number }[]>`
    select r.reject_id as "rejectId" from ingest.rejects r
    where ${matches(sql, { ...filter, state: "open" })} order by 1`;
  return rows.map(({ rejectId }) => rejectId);
}

/** @returns how many of them were open, and are waived now */
export async function waiveRejects(
  sql: Sql,
  rejectIds: readonly number[],
  reason: string,
): Promise<number> {
  const [row] = await sql<{ waived: number }[]>`
    select ingest.waive_rejects(${plainArray(rejectIds)}::bigint[], ${reason}) as waived`;
  return row?.waived ?? 0;
}

/** @returns whether it was open, so that the correction is stored */
export async function correctReject(
  sql: Sql,
  rejectId: number,
  correction: Uint8Array,
): Promise<boolean> {
  const [row] = await sql<{ stored: boolean }[]>`
    select ingest.correct_reject(${rejectId}, ${correction}) as stored`;
  return row?.stored ?? false;
}

function matches(sql: Sql, { fileId, state, ...fault }: RejectFilter) {
  return sql`
    (${fileId}::bigint is null or r.file_id = ${fileId})
    and (${state}::text is null or r.state = ${state})
    and ${withFault(sql, fault)}`;
}

/** The server's clock. */
export async function databaseTime(sql: Sql): Promise<Date> {
  const [row] = await sql<{ now: Date }[]>`select now() as now`;
  return row!.now;
}

/** How many records in conflict, of other files than one, were replayed since. */
export async function conflictsResolved(
  sql: Sql,
  { since, fileId }: { since: Date; fileId: number },
): Promise<number> {
  const [row] = await sql<{ resolved: number }[]>`
    select count(*) as resolved from ingest.rejects
    where state = 'replayed' and event_id is not null and resolved_at >= ${since}
      and file_id <> ${fileId}`;
  return row?.resolved ?? 0;
}
