import { ApplicationFailure } from "@temporalio/common";
import { allowedRejects, type ErrorBudget } from "../../domain/error_budget.ts";
import { FAULT_CODES, RECORD_FAULT_CODES } from "../../domain/faults.ts";
import type { Sql } from "../database.ts";

/** Records that are sound in themselves and were refused for what the warehouse holds. */
const EXEMPT_CODES = RECORD_FAULT_CODES.filter((code) => !FAULT_CODES[code].countsForErrorBudget);

/**
 * Stops a file whose rejects are beyond what its feed allows. The share is of the records planned, so that it can only
 * be exceeded for good.
 *
 * @param sql Pool of the ingest role.
 * @param fileId The file.
 * @param budget What the feed allows; without any bound nothing is asked.
 * @throws Terminal failure `ErrorBudgetExceeded`.
 */
export async function checkErrorBudget(
  sql: Sql,
  fileId: number,
  budget: ErrorBudget,
): Promise<void> {
  if (budget.maxRejects === undefined && budget.maxRejectShare === undefined) return;
  const [row] = await sql<{ rejects: number; records: number }[]>`
    select (select count(*) from ingest.rejects r
            where r.file_id = ${fileId} and r.state <> 'withdrawn'
              and not (r.faults @? ${exemptPath()}::jsonpath)) as rejects,
           (select coalesce(sum(c.records), 0)::bigint from ingest.chunks c
            where c.file_id = ${fileId}) as records`;
  const { rejects, records } = row ?? { rejects: 0, records: 0 };
  const allowed = allowedRejects(budget, records);
  if (rejects <= allowed) return;
  throw ApplicationFailure.nonRetryable(
    `Cannot load the file: ${rejects} records were rejected and at most ${allowed} ` +
      `of ${records} are allowed. ${FAULT_CODES.error_budget.advice}`,
    "ErrorBudgetExceeded",
  );
}

function exemptPath(): string {
  return `$[*] ? (${EXEMPT_CODES.map((code) => `@.code == "${code}"`).join(" || ")})`;
}
