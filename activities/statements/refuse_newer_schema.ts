import { ApplicationFailure } from "@temporalio/common";
import type { Sql } from "../database.ts";

/**
 * An application older than the schema refuses to load: it could not keep invariants it does not know.
 *
 * @param sql Pool of the ingest role.
 * @param known Newest migration that this program knows.
 * @throws Terminal failure `SchemaTooNew`.
 */
export async function refuseNewerSchema(sql: Sql, known: number): Promise<void> {
  const [row] = await sql<{ version: number }[]>`select ingest.schema_version() as version`;
  refuseNewer(row?.version ?? 0, known);
}

/** The same where the version of the database was asked for already. */
export function refuseNewer(version: number, known: number): void {
  if (version <= known) return;
  throw ApplicationFailure.nonRetryable(
    `Cannot load: the database is at schema ${version}, this program knows ${known}. ` +
      "Run a version of Clickledger at least as new as the one that migrated it.",
    "SchemaTooNew",
  );
}
