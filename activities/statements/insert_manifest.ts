import type { Manifest } from "../../domain/manifest.ts";
import type { Sql } from "../database.ts";

/** Stores what a producer said of a file; the same said again makes no second row. */
export async function insertManifest(
  sql: Sql,
  { inboxId, fileName, rows, amount, sha256, error }:
    & Manifest
    & { inboxId: string; fileName: string; error: string | null },
): Promise<void> {
  await sql`
    insert into ingest.manifests (inbox_id, file_name, rows, amount, sha256, error)
    select ${inboxId}::uuid, ${fileName}, ${rows}::bigint, ${amount}::numeric, ${sha256}::text, ${error}::text
    where not exists (
      select from ingest.manifests m
      where m.inbox_id = ${inboxId} and m.file_name = ${fileName}
        and (m.rows, m.amount, m.sha256, m.error) is not distinct from
            (${rows}::bigint, ${amount}::numeric, ${sha256}::text, ${error}::text))`;
}
