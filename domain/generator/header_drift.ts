import { SHOP_EVENTS } from "../shop_events.ts";
import type { EventRow } from "./event_stream.ts";
import type { Prng } from "./prng.ts";

/** How a file's columns differ from the contract's. */
export interface HeaderDrift {
  readonly header: readonly string[];
  /** The cells of a record, which come in the order of the contract, as this file has them. */
  readonly lay: (row: EventRow) => EventRow;
  /** The column that is renamed or added. */
  readonly column?: string;
}

const NAMES = SHOP_EVENTS.columns.map(({ name }) => name);

/** The header as in the contract. */
export const NO_DRIFT: HeaderDrift = { header: NAMES, lay: (row) => row };

/** Where columns are moved and added: among cells that are never quoted. */
const FIRST = NAMES.indexOf("event_type");
const LAST = NAMES.indexOf("product_id");
const ADDED = { name: "campaign", value: "spring" };

/** Draws a header that the contract takes, but has not: a column renamed, columns moved, or one added. */
export function drawHeaderDrift(prng: Prng): HeaderDrift {
  const how = prng.below(3);
  if (how === 0) {
    const { name, headerAliases } = SHOP_EVENTS.columns[prng.below(NAMES.length)]!;
    const alias = headerAliases[0] ?? name.toUpperCase();
    return { header: NAMES.with(NAMES.indexOf(name), alias), lay: (row) => row, column: name };
  }
  if (how === 1) {
    const lay = <Cell>(row: readonly Cell[]) => [
      ...row.slice(0, FIRST),
      ...row.slice(FIRST, LAST + 1).toReversed(),
      ...row.slice(LAST + 1),
    ];
    return { header: lay(NAMES), lay };
  }
  const add = (row: readonly string[], cell: string) => row.toSpliced(LAST, 0, cell);
  return {
    header: add(NAMES, ADDED.name),
    lay: (row) => add(row, ADDED.value),
    column: ADDED.name,
  };
}
