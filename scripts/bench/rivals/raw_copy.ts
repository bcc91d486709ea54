import type { StageDatabase } from "../stage.ts";
import { copyCommand } from "./copy_command.ts";
import { runPsql } from "./psql.ts";

/**
 * Makes the table of rival B of `shop.events`, before there are partitions: its columns and indexes, and unique over id and
 * time, which is as far as a partitioned table can go by itself. Columns of the ledger get defaults.
 */
export async function prepareRawCopy({ url }: StageDatabase): Promise<void> {
  await runPsql(
    url,
    `alter table shop.events
       add constraint events_unique unique (event_id, event_time),
       alter file_id set default 1, alter line_number set default 2`,
  );
}

/**
 * Rival B: `\copy` into that table, which ends at the first bad record and the first event that comes twice.
 *
 * @returns Seconds.
 */
export async function rawCopy({ url }: StageDatabase, path: string): Promise<number> {
  return await runPsql(url, copyCommand("shop.events", path));
}
