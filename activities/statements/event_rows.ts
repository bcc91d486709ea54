import type { Contract } from "../../domain/contract.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";
import { cellColumn, valuePutter } from "./binary_columns.ts";
import { BinaryRows, type CellColumn } from "./binary_rows.ts";
import { JointCells } from "./joint_cells.ts";
import { columnOf } from "./values_of.ts";

/** The `copy` for {@linkcode eventRows}. */
export function copyEvents(contract: Contract): string {
  const { single, joint, recurring } = columnsOf(contract);
  const names = [...single, ...joint, ...recurring].map(({ name }) => name).join(", ");
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
  const { single, joint, recurring } = columnsOf(contract);
  const rows = new BinaryRows(3 + contract.columns.length);
  const valuesOf = (name: string) => columnOf(contract, { accepted }, name)!;
  const puts = single.map(({ name, postgresType }) =>
    name === contract.eventTime.column
      ? (row: number) => rows.putTimestamp(eventMicros.at(row))
      : valuePutter(rows, postgresType, valuesOf(name))
  );
  const cellsOf = (columns: Contract["columns"]) =>
    columns.map(({ name, postgresType }) => cellColumn(postgresType, valuesOf(name).codes()));
  const [jointly, apart] = [cellsOf(joint), cellsOf(recurring)];
  const jointCells = jointly.length === 0 ? null : jointCellsOf(contract, jointly);
  for (let row = 0; row < lines.length; row++) {
    rows.beginRow();
    rows.putBigint(fileId);
    rows.putInteger(lines.at(row));
    const extra = extras.get(row);
    if (extra === undefined) rows.putNull();
    else rows.putText(JSONB_VERSION + extra);
    for (const put of puts) put(row);
    jointCells?.putRow(rows, jointly, row);
    rows.putCells(apart, row);
  }
  return rows.end();
}

/** Before the text of a jsonb. */
const JSONB_VERSION = "\x01";

/** What describes a product comes together. */
const JOINT = ["product_id", "product_name", "category", "brand"];

/** Columns in the order of the copy: those whose values recur come last, together or by themselves. */
function columnsOf({ columns }: Contract) {
  const isSingle = ({ inPlace }: Contract["columns"][number]) => inPlace !== undefined;
  const isJoint = ({ name }: Contract["columns"][number]) => JOINT.includes(name);
  const recurring = columns.filter((column) => !isSingle(column));
  return {
    single: columns.filter(isSingle),
    joint: recurring.filter(isJoint),
    recurring: recurring.filter((column) => !isJoint(column)),
  };
}

const knownCells = new WeakMap<Contract, JointCells>();

/** Those of the chunks before, if they shared their values. */
function jointCellsOf(contract: Contract, columns: readonly CellColumn[]): JointCells {
  let known = knownCells.get(contract);
  if (!known?.isOf(columns)) knownCells.set(contract, known = new JointCells(columns));
  return known;
}
