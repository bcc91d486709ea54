import { CodedColumn, type ColumnValues, PlacedColumn } from "../../domain/accepted_records.ts";
import type { Contract } from "../../domain/contract.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import { BinaryCells, BinaryRows } from "./binary_rows.ts";
import { inHundredths } from "./in_hundredths.ts";

/** The `copy` for {@linkcode eventRows}. */
export function copyEvents({ columns }: Contract): string {
  const names = columns.map(({ name }) => name).join(", ");
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
  const { lines, extras, eventMicros, columns } = accepted;
  const rows = new BinaryRows(3 + columns.length);
  const puts = contract.columns.map(({ name, postgresType }, index) =>
    name === contract.eventTime.column
      ? (row: number) => rows.putTimestamp(eventMicros[row]!)
      : valuePutter(rows, postgresType, columns[index]!)
  );
  for (let row = 0; row < lines.length; row++) {
    rows.beginRow();
    rows.putBigint(fileId);
    rows.putInteger(lines[row]!);
    const extra = extras[row]!;
    if (extra === null) rows.putNull();
    else rows.putText(JSONB_VERSION + extra);
    for (const put of puts) put(row);
  }
  return rows.end();
}

/** Before the text of a jsonb. */
const JSONB_VERSION = "\x01";

/** Makes the function that puts the value of a record in one column. */
export function valuePutter(
  rows: BinaryRows,
  postgresType: string,
  values: ColumnValues,
): (row: number) => void {
  const put = typePutter(postgresType);
  if (values instanceof CodedColumn) {
    const { codeOf, values: distinct } = values.codes();
    const cells = new BinaryCells();
    for (const value of distinct) {
      if (value === null) cells.putNull();
      else put(cells, value, 0, value.length);
      cells.endCell();
    }
    return (row) => rows.putCell(cells, codeOf[row]!);
  }
  if (!(values instanceof PlacedColumn)) throw new Error("Cannot copy values of another kind");
  return (row) => {
    const text = values.textOf(row);
    if (text === null) rows.putNull();
    else put(rows, text, values.startOf(row), values.endOf(row));
  };
}

/** Puts the part of a text that is a canonical value. */
type Put = (into: BinaryCells | BinaryRows, text: string, from: number, to: number) => void;

function typePutter(postgresType: string): Put {
  const [name] = /^[a-z]+/.exec(postgresType)!;
  switch (name) {
    case "uuid":
      return (into, text, from) => into.putUuid(text, from);
    case "text":
    case "char":
      return (into, text, from, to) => into.putText(text, from, to);
    case "integer":
      return (into, text, from, to) => into.putInteger(Number(text.slice(from, to)));
    case "numeric":
      return (into, text, from, to) => into.putHundredths(inHundredths(text.slice(from, to)));
  }
  throw new Error(`Cannot copy values of type ${postgresType}`);
}
