import { SHOP_EVENTS } from "../../../domain/shop_events.ts";

/** Columns of a file of events, for `\copy … (…)`. */
export const NAMES = SHOP_EVENTS.columns.map(({ name }) => name).join(", ");

/** Table, columns and file of a `\copy`; an empty cell is null only where the contract says so. */
export function copyCommand(table: string, path: string): string {
  const texts = SHOP_EVENTS.columns.filter(({ nullable }) => !nullable).map(({ name }) => name);
  const options = `format csv, header true, force_not_null (${texts.join(", ")})`;
  return `\\copy ${table} (${NAMES}) from '${path.replaceAll("'", "''")}' with (${options})`;
}
