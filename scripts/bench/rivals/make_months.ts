import type { StageDatabase } from "../stage.ts";

/** Time of the first event of a file that warms up: its 28 days are before those of the other files. */
export const WARM_UP_FROM = Date.UTC(2023, 11, 1);

/**
 * Makes the partitions that generated files need: their 28 days begin on 2024-01-01, or at {@linkcode WARM_UP_FROM}. Rivals
 * have them before they begin.
 */
export async function makeMonths({ sql }: StageDatabase): Promise<void> {
  await sql`select shop.ensure_month('2023-12-01'), shop.ensure_month('2024-01-01')`;
}
