import { MockActivityEnvironment } from "@temporalio/testing";
import { DefaultLogger } from "@temporalio/worker";
import { createActivities } from "../../activities/create_activities.ts";
import type { IngestFileResult } from "../../domain/ingest_api.ts";
import { waitFor } from "../harness.ts";
import type { Job, Warehouse } from "./_warehouse.ts";

/** Files of these tests are one chunk. */
export const ONE_CHUNK = { chunkBytes: 1_000_000 };

/** Takes the place of what lies at a name, at once. */
export async function renameInto(house: Warehouse, name: string, text: string): Promise<void> {
  await Deno.rename(await house.land(`.${name}.tmp`, text), `${house.inbox}/${name}`);
}

/** Waits until so many connections wait for a lock. */
export async function waiting(house: Warehouse, connections: number): Promise<void> {
  await waitFor(async () => {
    const rows = await house.admin`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    return rows.length >= connections;
  }, { what: `${connections} connections to wait for a lock` });
}

/** Waits until so many transactions have what is asked first, and do not go on. */
export async function waitingForTurn(house: Warehouse, transactions: number) {
  return await waitFor(async () => {
    const rows = await house.admin<{ pid: number; transaction: string }[]>`
      select pid, backend_xid::text as transaction from pg_stat_activity
      where datname = current_database() and state = 'idle in transaction'
        and query ~ 'with ledger as|insert into shop.events'`;
    return rows.length === transactions ? rows : null;
  }, { what: `${transactions} transactions to wait for their turn` });
}

/** How each file was loaded: one statement has one time. */
export async function waysOf(house: Warehouse): Promise<string[]> {
  const rows = await house.admin<{ way: string }[]>`
    select case when exists (select from ingest.chunks c
                             where c.file_id = f.file_id and c.committed_at = f.committed_at)
                then 'at once' else 'step by step' end as way
    from ingest.files f order by f.file_id`;
  return rows.map(({ way }) => way);
}

/** The activity of a file, which can be cancelled. */
export function cancellable(
  { deps }: Warehouse,
  { workflowId, input }: Job,
): { run: () => Promise<IngestFileResult>; cancel: () => void } {
  const workflowExecution = { workflowId, runId: crypto.randomUUID() };
  const environment = new MockActivityEnvironment({ workflowExecution }, {
    logger: new DefaultLogger("ERROR"),
  });
  const { ingestSmallFile } = createActivities(deps);
  return {
    run: () => environment.run(() => ingestSmallFile(input)),
    cancel: () => environment.cancel(),
  };
}
