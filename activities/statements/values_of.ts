import type { Codes, ColumnValues } from "../../domain/accepted_records.ts";
import type { Contract } from "../../domain/contract.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";

/**
 * One column of a batch's accepted records.
 *
 * @param contract Tells the columns apart.
 * @param batch The batch.
 * @param name A column of the contract.
 * @returns Nothing where a batch has not even columns.
 */
export function columnOf(
  contract: Contract,
  { accepted }: Pick<ChunkBatch, "accepted">,
  name: string,
): ColumnValues | undefined {
  return accepted.columns[contract.columns.findIndex((column) => column.name === name)];
}

/** The values of {@linkcode columnOf} a column that is never empty, by row. */
export function valuesOf(...column: Parameters<typeof columnOf>): string[] {
  return (columnOf(...column)?.toArray() ?? []) as string[];
}

/** The same as numbers, to group by. */
export function codesOf(...column: Parameters<typeof columnOf>): Codes<string> {
  const codes = columnOf(...column)?.codes() ?? { codeOf: new Int32Array(), values: [] };
  return codes as Codes<string>;
}
