import { type Codes, type ColumnValues, PlacedColumn } from "../../domain/accepted_records.ts";
import { BinaryCells, type BinaryRows, type CellColumn } from "./binary_rows.ts";
import { inHundredths } from "./in_hundredths.ts";

/** Makes the cells of a column whose values recur. */
export function cellColumn(
  postgresType: string,
  { codeOf, values }: Codes<string | null>,
): CellColumn {
  const put = typePutter(postgresType);
  const cells = new BinaryCells();
  for (const value of values) {
    if (value === null) cells.putNull();
    else put(cells, value, 0, value.length);
    cells.endCell();
  }
  return { cells, codeOf };
}

/** Makes the function that puts the value of a record in a column where each has its own. */
export function valuePutter(
  rows: BinaryRows,
  postgresType: string,
  values: ColumnValues,
): (row: number) => void {
  if (!(values instanceof PlacedColumn)) throw new Error("Cannot copy values of another kind");
  const put = typePutter(postgresType);
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
