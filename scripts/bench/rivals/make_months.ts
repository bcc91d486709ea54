import type { StageDatabase } from "../stage.ts";

/** Time of the first event of a file that warms up: so long before the others that few events as well do not reach these. */
export const WARM_UP_FROM = Date.UTC(2023, 9, 1);

/**
 * Makes the partitions that generated files need: their 28 days begin on 2024-01-01, or at {@linkcode WARM_UP_FROM}; events
 * that are few reach somewhat further. Rivals have them before they begin.
 */
export async function makeMonths({ sql }: StageDatabase): Promise<void> {
  const months = ["2023-10-01", "2023-11-01", "2024-01-01"];
  for (const month of months) await sql`select shop.ensure_month(${month})`;
}
