import { fileNameOf } from "../../domain/file_name_of.ts";
import type { Sql } from "../database.ts";

/**
 * Was a file with these bytes seen at this path, whatever became of it?
 *
 * @param path Absolute, in the inbox.
 * @param sha256 Of its bytes, hexadecimal.
 */
export async function wasIngested(sql: Sql, path: string, sha256: string): Promise<boolean> {
  const rows = await sql`
    select from ingest.files f
    where f.path = ${path} and f.file_name = ${fileNameOf(path)}
      and f.sha256 = ${sha256}
    limit 1`;
  return rows.length > 0;
}
