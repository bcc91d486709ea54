import type { StageDatabase } from "../stage.ts";

/** Makes the partitions that generated files need: their 28 days begin on 2024-01-01. Rivals have them before they begin. */
export async function makeMonths({ sql }: StageDatabase): Promise<void> {
  await sql`select shop.ensure_month('2024-01-01')`;
}
