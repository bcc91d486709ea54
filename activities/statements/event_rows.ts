import type { Contract } from "../../domain/contract.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import { cellColumn, valuePutter } from "./binary_columns.ts";
import { BinaryRows } from "./binary_rows.ts";
import { columnOf } from "./values_of.ts";

/** The `copy` for {@linkcode eventRows}. */
export function copyEvents(contract: Contract): string {
  const { single, recurring } = columnsOf(contract);
  const names = [...single, ...recurring].map(({ name }) => name).join(", ");
  return `copy shop.events (file_id, line_number, extras, ${names}) from stdin (format binary)`;
}

/**
 * Rows of `shop.events` in COPY's binary format.
 *
 * @param chunk The file, its contract, and the batch, of which all records go.
 * @returns The rows, cut anywhere.
 */
export function eventRows(
  { fileId, contract, batch: { accepted } }: {
    fileId: number;
    contract: Contract;
    batch: Pick<ChunkBatch, "accepted">;
  },
): Uint8Array[] {
  const { lines, extras, eventMicros } = accepted;
  const { single, recurring } = columnsOf(contract);
  const rows = new BinaryRows(3 + single.length + recurring.length);
  const valuesOf = (name: string) => columnOf(contract, { accepted }, name)!;
  const puts = single.map(({ name, postgresType }) =>
    name === contract.eventTime.column
      ? (row: number) => rows.putTimestamp(eventMicros.at(row))
      : valuePutter(rows, postgresType, valuesOf(name))
  );
  const cells = recurring.map(({ name, postgresType }) =>
    cellColumn(postgresType, valuesOf(name).codes())
  );
  for (let row = 0; row < lines.length; row++) {
    rows.beginRow();
    rows.putBigint(fileId);
    rows.putInteger(lines.at(row));
    const extra = extras.get(row);
    if (extra === undefined) rows.putNull();
    else rows.putText(JSONB_VERSION + extra);
    for (const put of puts) put(row);
    rows.putCells(cells, row);
  }
  return rows.end();
}

/** Before the text of a jsonb. */
const JSONB_VERSION = "\x01";

/** Columns in the order of the copy: those whose values recur come last, and are put in one go. */
function columnsOf({ columns }: Contract) {
  const isSingle = ({ inPlace }: Contract["columns"][number]) => inPlace !== undefined;
  return {
    single: columns.filter(isSingle),
    recurring: columns.filter((column) => !isSingle(column)),
  };
}
