import { Buffer } from "node:buffer";
import { type Codes, type ColumnValues, PlacedColumn } from "../../domain/accepted_records.ts";
import { BinaryCells, type BinaryRows, type CellColumn } from "./binary_rows.ts";
import { inHundredths } from "./in_hundredths.ts";
import { perValue } from "./per_value.ts";

/** Makes the cells of a column whose values recur, or finds them made. */
export function cellColumn(
  postgresType: string,
  { codeOf, values }: Codes<string | null>,
): CellColumn {
  return { cells: cellsBy.get(ofType(PUT_TEXT, postgresType))!(values), codeOf };
}

/** Makes the function that puts the value of a record in a column where each has its own. */
export function valuePutter(
  rows: BinaryRows,
  postgresType: string,
  values: ColumnValues,
): (row: number) => void {
  if (!(values instanceof PlacedColumn)) throw new Error("Cannot copy values of another kind");
  const putText = ofType(PUT_TEXT, postgresType);
  const putAscii = ofType(PUT_ASCII, postgresType);
  const { bytes } = values;
  return (row) => {
    const from = values.startOf(row);
    if (from >= 0) return putAscii(rows, bytes, from, values.endOf(row));
    const text = values.at(row);
    if (text === null) rows.putNull();
    else putText(rows, text);
  };
}

/** Puts a canonical value. */
type PutText = (into: BinaryCells | BinaryRows, text: string) => void;
/** Puts one that stands between two positions. */
type PutAscii = (into: BinaryRows, bytes: Uint8Array, from: number, to: number) => void;

const putText: PutText = (into, text) => into.putText(text);

/** By the first word of a type. */
const PUT_TEXT: Readonly<Record<string, PutText>> = {
  uuid: (into, text) => into.putUuid(Buffer.from(text), 0),
  text: putText,
  char: putText,
  integer: (into, text) => into.putInteger(Number(text)),
  numeric: (into, text) => into.putHundredths(inHundredths(text)),
};

/** The same for types of which each record has its own value. */
const PUT_ASCII: Readonly<Record<string, PutAscii>> = {
  uuid: (rows, bytes, from) => rows.putUuid(bytes, from),
  text: (rows, bytes, from, to) => rows.putAscii(bytes, from, to),
};

function ofType<Put>(puts: Readonly<Record<string, Put>>, postgresType: string): Put {
  const put = puts[/^[a-z]+/.exec(postgresType)![0]];
  if (put === undefined) throw new Error(`Cannot copy values of type ${postgresType}`);
  return put;
}

/** Cells of values, by how these are put. */
const cellsBy = new Map(
  Object.values(PUT_TEXT).map((put) => [
    put,
    perValue(() => new BinaryCells(), (cells, value: string | null) => {
      if (value === null) cells.putNull();
      else put(cells, value);
      cells.endCell();
    }),
  ]),
);
