import type { Sql } from "../../activities/database.ts";
import { plainArray } from "../../activities/statements/array_literal.ts";

/** A file of the ledger, as people name it. */
export interface LedgerFile {
  readonly fileId: number;
  readonly name: string;
}

/** An event that is in the warehouse. */
export interface LoadedEvent {
  readonly contentHash: string;
  readonly line: number;
  readonly file: LedgerFile;
}

/** The time before which the events of a feed are not taken any more; epoch microseconds. */
export async function readHorizon(sql: Sql, feed: string): Promise<number> {
  const [row] = await sql<{ events_from: Date }[]>`
    select events_from from ingest.horizon where feed = ${feed}`;
  return (row?.events_from.getTime() ?? 0) * 1000;
}

/** The file that has these bytes, if one is loaded or about to be; one that is being unloaded only has to be waited for. */
export async function findSameContent(
  sql: Sql,
  { feed, sha256 }: { feed: string; sha256: string },
): Promise<LedgerFile & { isUnloading: boolean } | undefined> {
  const [row] = await sql<(LedgerFile & { isUnloading: boolean })[]>`
    select file_id as "fileId", file_name as name, state = 'unloading' as "isUnloading"
    from ingest.files
    where feed = ${feed} and sha256 = ${sha256} and state in ('loading', 'loaded', 'unloading')`;
  return row;
}

/** A file that one of its name would supersede. */
export interface OlderVersion extends LedgerFile {
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Offset behind its last byte in its expanded form. */
  readonly end: number;
  /** Whether it is loaded and its last record has no line end. */
  readonly isCut: boolean;
}

/** The newest loaded file of this name in this inbox. */
export async function findOlderVersion(
  sql: Sql,
  { inboxId, name }: { inboxId: string; name: string },
): Promise<OlderVersion | undefined> {
  const [row] = await sql<OlderVersion[]>`
    select file_id as "fileId", file_name as name, size_bytes as "sizeBytes", sha256,
           data_end as "end", state = 'loaded' and not ends_with_newline as "isCut"
    from ingest.files
    where inbox_id = ${inboxId} and file_name = ${name} and state in ('loaded', 'unloading')
    order by file_id desc
    limit 1`;
  return row;
}

/**
 * The events that a load would take out of an older version before it loads one that grew from it: those of its last
 * record, unless another line has the event as well.
 *
 * @param fileId The older version.
 * @param first First line of the record that was cut.
 */
export async function findCutEvents(sql: Sql, fileId: number, first: number): Promise<string[]> {
  const rows = await sql<{ eventId: string }[]>`
    select k.event_id as "eventId" from ingest.event_keys k
    where k.file_id = ${fileId} and k.line_number >= ${first}
      and not exists (select from ingest.duplicates d join ingest.files f on f.file_id = d.file_id
                      where d.event_id = k.event_id and f.state in ('loading', 'loaded')
                        and not (d.file_id = ${fileId} and d.line_number >= ${first}))`;
  return rows.map(({ eventId }) => eventId);
}

/**
 * Which of some events are loaded, by id.
 *
 * @param ids UUIDs in lower case.
 * @param except A file whose events are about to go.
 */
export async function findLoadedEvents(
  sql: Sql,
  ids: readonly string[],
  { except }: { except?: number },
): Promise<Map<string, LoadedEvent>> {
  const rows = await sql<
    { event_id: string; content_hash: string; line: number; file_id: number; file_name: string }[]
  >`
    select k.event_id, k.content_hash::text as content_hash, k.line_number as line,
           k.file_id, f.file_name
    from ingest.event_keys k join ingest.files f using (file_id)
    where k.event_id = any(${plainArray(ids)}::uuid[]) and k.file_id is distinct from ${
    except ?? null
  }`;
  return new Map(rows.map(({ event_id, content_hash, line, file_id, file_name }) => [
    event_id,
    { contentHash: content_hash, line, file: { fileId: file_id, name: file_name } },
  ]));
}
