import type { Codes } from "../../domain/accepted_records.ts";
import type { Contract } from "../../domain/contract.ts";
import type { ChunkBatch } from "../../domain/read_chunk.ts";

/**
 * The values of one column of a batch's accepted records, by row; none where a batch has not even columns.
 *
 * @param contract Tells the columns apart.
 * @param batch The batch.
 * @param name A column of the contract that is never empty.
 */
export function valuesOf(
  contract: Contract,
  { accepted }: Pick<ChunkBatch, "accepted">,
  name: string,
): string[] {
  const column = contract.columns.findIndex((column) => column.name === name);
  return (accepted.columns[column]?.toArray() ?? []) as string[];
}

/**
 * One value of a column that is never empty: for a few of many records, since {@linkcode valuesOf} makes all of them.
 *
 * @param contract Tells the columns apart.
 * @param batch The batch.
 * @param name A column of the contract.
 * @param row Which record.
 */
export function valueOf(
  contract: Contract,
  { accepted }: Pick<ChunkBatch, "accepted">,
  name: string,
  row: number,
): string {
  const column = contract.columns.findIndex((column) => column.name === name);
  return accepted.columns[column]!.at(row)!;
}

/**
 * The same column as numbers, to group by.
 *
 * @param contract Tells the columns apart.
 * @param batch The batch.
 * @param name A column of the contract that is never empty.
 */
export function codesOf(
  contract: Contract,
  { accepted }: Pick<ChunkBatch, "accepted">,
  name: string,
): Codes & { values: readonly string[] } {
  const column = contract.columns.findIndex((column) => column.name === name);
  const codes = accepted.columns[column]?.codes() ?? { codeOf: new Int32Array(), values: [] };
  return codes as Codes & { values: readonly string[] };
}
