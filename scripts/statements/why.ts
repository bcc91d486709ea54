import type { Sql } from "../../activities/database.ts";
import type { Fault } from "../../domain/faults.ts";
import type { FileState } from "../../domain/ledger.ts";

/** Where a record lies: its file, as the ledger has it. */
export interface Origin {
  fileId: number;
  fileName: string;
  state: FileState;
  sha256: string | null;
  /** Where the bytes are now, as far as the ledger knows. */
  path: string;
  line: number;
  contractVersion: number;
  workflowId: string;
  runId: string | null;
  /** The chunk that holds the line; null when the file has no plan. */
  chunkNo: number | null;
  byteStart: number | null;
  byteEnd: number | null;
  attempt: number | null;
  worker: string | null;
  committedAt: Date | null;
}

/** What the ledger says of a record. */
export type Verdict =
  | { kind: "loaded"; eventId: string; eventTime: Date; isDropped: boolean; origin: Origin }
  | { kind: "duplicate"; eventId: string; origin: Origin; loadedFrom: Origin | null }
  | { kind: "rejected"; rejectId: number; state: string; faults: Fault[]; origin: Origin };

/**
 * All that became of an event: the row it is, the records that repeat it, and the rejects that hold its id.
 *
 * @param sql As operator: the id of a rejected record stands in its raw bytes only.
 */
export async function whyEvent(sql: Sql, eventId: string): Promise<Verdict[]> {
  const loaded = await loadedEvent(sql, eventId);
  const copies = await sql<{ fileId: number; line: number }[]>`
    select file_id as "fileId", line_number as line from ingest.duplicates
    where event_id = ${eventId} order by file_id, line_number limit ${MOST}`;
  const rejects = await sql<{ fileId: number; line: number }[]>`
    select file_id as "fileId", line_number as line from ingest.rejects
    where position(convert_to(${eventId}, 'UTF8') in raw) > 0 and state <> 'withdrawn'
    order by reject_id limit ${MOST}`;
  const others = await Promise.all(
    [...copies, ...rejects].map(({ fileId, line }) => whyLine(sql, fileId, line)),
  );
  return [...loaded, ...others.flat()];
}

/** Whoever lands a file a hundred times knows why after a few. */
const MOST = 20;

/**
 * What became of the record at a line; of a record of several lines, its first is the one that counts.
 *
 * @returns Empty when no record that was handled begins there.
 */
export async function whyLine(sql: Sql, fileId: number, line: number): Promise<Verdict[]> {
  const [key] = await sql<{ eventId: string }[]>`
    select event_id as "eventId" from ingest.event_keys
    where file_id = ${fileId} and line_number = ${line}`;
  if (key !== undefined) return await loadedEvent(sql, key.eventId);
  const [copy] = await sql<{ eventId: string }[]>`
    select event_id as "eventId" from ingest.duplicates
    where file_id = ${fileId} and line_number = ${line}`;
  if (copy !== undefined) {
    const [first] = await loadedEvent(sql, copy.eventId);
    return [{
      kind: "duplicate",
      eventId: copy.eventId,
      origin: await originOf(sql, fileId, line),
      loadedFrom: first?.origin ?? null,
    }];
  }
  const [reject] = await sql<{ rejectId: number; state: string; faults: Fault[] }[]>`
    select reject_id as "rejectId", state, faults from ingest.rejects
    where file_id = ${fileId} and line_number = ${line}
    order by reject_id desc limit 1`;
  if (reject === undefined) return [];
  return [{ kind: "rejected", ...reject, origin: await originOf(sql, fileId, line) }];
}

async function loadedEvent(
  sql: Sql,
  eventId: string,
): Promise<Extract<Verdict, { kind: "loaded" }>[]> {
  const [key] = await sql<
    { fileId: number; line: number; eventTime: Date; isDropped: boolean }[]
  >`
    select k.file_id as "fileId", k.line_number as line, k.event_time as "eventTime",
           not exists (select from shop.events e
                       where e.event_time = k.event_time and e.event_id = k.event_id) as "isDropped"
    from ingest.event_keys k where k.event_id = ${eventId}`;
  if (key === undefined) return [];
  const { fileId, line, eventTime, isDropped } = key;
  const origin = await originOf(sql, fileId, line);
  return [{ kind: "loaded", eventId, eventTime, isDropped, origin }];
}

/** The file and chunk of a line. */
export async function originOf(sql: Sql, fileId: number, line: number): Promise<Origin> {
  const [origin] = await sql<Origin[]>`
    select f.file_id as "fileId", f.file_name as "fileName", f.state, f.sha256,
           coalesce(f.archive_path, f.path) as path, ${line}::integer as line,
           f.contract_version as "contractVersion", f.workflow_id as "workflowId", f.run_id as "runId",
           c.chunk_no as "chunkNo", c.byte_start as "byteStart", c.byte_end as "byteEnd", c.attempt,
           c.worker, c.committed_at as "committedAt"
    from ingest.files f
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
