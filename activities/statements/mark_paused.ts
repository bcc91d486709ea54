import type { Sql } from "../database.ts";

/** Writes since when the file of a workflow is paused, or that it is not; without a row there is nothing to note. */
export async function markPaused(
  sql: Sql,
  { workflowId, paused }: { workflowId: string; paused: boolean },
): Promise<void> {
  await sql`
    update ingest.files
    set paused_at = case when ${paused} then coalesce(paused_at, now()) end
    where workflow_id = ${workflowId} and state = 'loading'`;
}
