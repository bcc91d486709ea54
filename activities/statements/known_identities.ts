import { fileNameOf } from "../../domain/file_name_of.ts";
import type { FileIdentity } from "../../domain/ingest_api.ts";
import type { Sql } from "../database.ts";
import { plainArray, textArray } from "./array_literal.ts";

/** A directory entry as it was seen. */
export interface SeenEntry {
  identity: FileIdentity;
  /** Whether it is a regular file. Others are recorded once, whatever becomes of their times. */
  isFile: boolean;
}

/**
 * Tells which entries of an inbox have a row in the ledger, in one statement for all of them.
 *
 * @param sql Pool of any role that reads the ledger.
 * @param inboxId UUID of the inbox.
 * @param entries Up to a few thousand entries.
 * @returns Per entry, in order, whether its identity is known.
 */
export async function knownIdentities(
  sql: Sql,
  inboxId: string,
  entries: readonly SeenEntry[],
): Promise<boolean[]> {
  if (entries.length === 0) return [];
  const paths = entries.map(({ identity }) => identity.path);
  const rows = await sql<{ position: number }[]>`
    select e.position::integer as position
    from unnest(
      ${textArray(paths)}::text[],
      ${textArray(paths.map((path) => fileNameOf(path)))}::text[],
      ${plainArray(entries.map(({ identity }) => identity.ino))}::bigint[],
      ${plainArray(entries.map(({ identity }) => identity.sizeBytes))}::bigint[],
      ${plainArray(entries.map(({ identity }) => identity.mtimeMs))}::double precision[],
      ${plainArray(entries.map(({ identity }) => identity.ctimeMs))}::double precision[],
      ${plainArray(entries.map(({ isFile }) => isFile ? "true" : "false"))}::boolean[]
    ) with ordinality as e (path, file_name, ino, size_bytes, mtime_ms, ctime_ms, is_file, position)
    where exists (
      select from ingest.files f
      where f.inbox_id = ${inboxId} and f.file_name = e.file_name and f.path = e.path and f.ino = e.ino
        and case when e.is_file
              then f.size_bytes = e.size_bytes and f.mtime_ms = e.mtime_ms and f.ctime_ms = e.ctime_ms
              else f.error_code in ('refused', 'unreadable_name') end)`;
  const known = new Array<boolean>(entries.length).fill(false);
  for (const { position } of rows) known[position - 1] = true;
  return known;
}
