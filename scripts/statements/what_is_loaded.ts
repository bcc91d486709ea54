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

/** The time before which the events of a feed are not taken any more; epoch milliseconds. */
export async function readHorizon(sql: Sql, feed: string): Promise<number> {
  const [row] = await sql<{ events_from: Date }[]>`
    select events_from from ingest.horizon where feed = ${feed}`;
  return row?.events_from.getTime() ?? 0;
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

/** The newest loaded file of this name in this inbox. */
export async function findOlderVersion(
  sql: Sql,
  { inboxId, name }: { inboxId: string; name: string },
): Promise<LedgerFile | undefined> {
  const [row] = await sql<LedgerFile[]>`
    select file_id as "fileId", file_name as name from ingest.files
    where inbox_id = ${inboxId} and file_name = ${name} and state in ('loaded', 'unloading')
    order by file_id desc
    limit 1`;
  return row;
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
